//! Making mount points that this machine does not have, without making anything on this machine.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::pivot_root;

use super::places::Place;

const NONE: Option<&str> = None;

/// Neither devices nor setuid programs come out of an empty directory.
const PLAIN: MsFlags = MsFlags::MS_NODEV.union(MsFlags::MS_NOSUID);

/// The file system as the program will see it, while it is made.
pub(super) struct Stage {
    /// What stands for `/` until [`Stage::finish`]; empty where the root stays what it is.
    root: PathBuf,
    /// The directories that are mirrors.
    mirrors: BTreeSet<PathBuf>,
}

impl Stage {
    /// `directory` is where a new root is built.
    pub(super) fn new(directory: &Path, new_root: bool) -> Result<Self, String> {
        let mut stage = Self { root: PathBuf::new(), mirrors: BTreeSet::new() };
        if !new_root {
            return Ok(stage);
        }
        empty(directory)?;
        // So that binding what is above this directory does not bind it into itself.
        mount(NONE, directory, NONE, MsFlags::MS_UNBINDABLE, NONE)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        fill(directory, Path::new("/"))?;
        stage.root = directory.to_owned();
        stage.mirrors.insert(PathBuf::from("/"));
        Ok(stage)
    }

    /// Puts a file or directory there.
    pub(super) fn put(&mut self, place: &Place, from: &Path) -> Result<(), String> {
        let target = self.target(&place.path());
        if let Place::Missing { above, rest } = place {
            self.mirror(above)?;
            make(&self.target(above), rest, from)?;
        }
        let both = (from.is_dir(), target.is_dir());
        if both.0 != both.1 {
            return Err("one is a file, the other a directory".to_owned());
        }
        bind(from, &target)
    }

    /// Makes the mirrors read-only, and the new root the root.
    pub(super) fn finish(self) -> Result<(), String> {
        let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | PLAIN;
        for mirror in &self.mirrors {
            let at = self.target(mirror);
            mount(NONE, &at, NONE, read_only, NONE)
                .map_err(|error| format!("making {} read-only: {error}", mirror.display()))?;
        }
        if self.root.as_os_str().is_empty() {
            return Ok(());
        }
        // The old root lies over the new one and is taken away (pivot_root(2), "pivot_root(".", ".")").
        let failed = |error: io::Error| format!("changing to a new root: {error}");
        std::env::set_current_dir(&self.root).map_err(failed)?;
        pivot_root(".", ".").map_err(|error| failed(error.into()))?;
        umount2(".", MntFlags::MNT_DETACH).map_err(|error| failed(error.into()))?;
        std::env::set_current_dir("/").map_err(failed)
    }

    fn target(&self, path: &Path) -> PathBuf {
        match path.strip_prefix("/") {
            Ok(rest) if !self.root.as_os_str().is_empty() => self.root.join(rest),
            _ => path.to_owned(),
        }
    }

    /// Covers a directory by an empty one with the same in it.
    fn mirror(&mut self, directory: &Path) -> Result<(), String> {
        if self.mirrors.contains(directory) {
            return Ok(());
        }
        let target = self.target(directory);
        // Open, it can be reached once it is covered.
        let original =
            File::open(&target).map_err(|error| format!("{}: {error}", directory.display()))?;
        empty(&target)?;
        fill(&target, Path::new(&format!("/proc/self/fd/{}", original.as_raw_fd())))?;
        self.mirrors.insert(directory.to_owned());
        Ok(())
    }
}

fn empty(directory: &Path) -> Result<(), String> {
    mount(Some("tmpfs"), directory, Some("tmpfs"), PLAIN, Some("mode=0755"))
        .map_err(|error| format!("covering {}: {error}", directory.display()))
}

/// Binds everything that is in `original` into the empty directory `target`.
fn fill(target: &Path, original: &Path) -> Result<(), String> {
    let failed =
        |name: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", name.display());
    let entries = fs::read_dir(original).map_err(|error| failed(original, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| failed(original, &error))?;
        let (name, from) = (entry.file_name(), entry.path());
        let to = target.join(&name);
        // One that has vanished meanwhile is not there.
        let Ok(metadata) = fs::symlink_metadata(&from) else { continue };
        if metadata.is_symlink() {
            let copied = fs::read_link(&from).and_then(|says| symlink(says, &to));
            copied.map_err(|error| failed(&from, &error))?;
            continue;
        }
        let made =
            if metadata.is_dir() { fs::create_dir(&to) } else { File::create(&to).map(drop) };
        made.map_err(|error| failed(&from, &error))?;
        bind(&from, &to)?;
    }
    if let Ok(metadata) = fs::metadata(original) {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::Permissions::from_mode(metadata.mode() & 0o7777);
        fs::set_permissions(target, mode).map_err(|error| failed(target, &error))?;
    }
    Ok(())
}

/// Makes the mount point.
fn make(above: &Path, rest: &Path, from: &Path) -> Result<(), String> {
    let at = above.join(rest);
    let made = match (from.is_dir(), at.parent()) {
        (true, _) | (false, None) => fs::create_dir_all(&at),
        (false, Some(parent)) => {
            fs::create_dir_all(parent).and_then(|()| File::create(&at).map(drop))
        }
    };
    made.map_err(|error| format!("making the mount point: {error}"))
}

fn bind(from: &Path, to: &Path) -> Result<(), String> {
    mount(Some(from), to, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)
        .map_err(|error| format!("putting {} there: {error}", from.display()))
}
