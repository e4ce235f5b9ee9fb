//! What of a volume is on this machine, to be written back.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use towline_beneath::{Directory, FileKind, FileStat, Inside};
use towline_wire::files::{Refusal, RefusalKind, Version};
use towline_wire::header::Bytes;

use crate::volumes::VolumeError;
use crate::volumes::shelf::{Placed, Shelf, inside, local};

/// More files at once than this are not what somebody means who names a directory.
const MOST: usize = 10_000;

pub(super) fn local_version(stat: &FileStat) -> Version {
    Version { inode: stat.inode, size: stat.size, changed: stat.changed }
}

/// The volume on this machine.
pub(super) struct Here {
    pub(super) mount: String,
    at: PathBuf,
    /// The volume, or the directory that its only file is in.
    directory: Directory,
    only: Option<Vec<u8>>,
}

impl Here {
    pub(super) fn of(placed: &Placed) -> Result<Self, VolumeError> {
        let mount = placed.planned.mount_path.clone();
        let at = local(&placed.root, &mount);
        let failed = |source| VolumeError::Local { doing: "opening", path: at.clone(), source };
        let path = inside(&mount).map_err(|_| VolumeError::Path { path: mount.clone() })?;
        let root = Directory::open(&placed.root).map_err(failed)?;
        let (within, only) = match (placed.file, path.split()) {
            (true, Some((above, name))) => (above, Some(name.to_vec())),
            _ => (path.clone(), None),
        };
        let directory = root.descend(&within).map_err(failed)?;
        Ok(Self { mount, at, directory, only })
    }

    pub(super) fn path(&self, path: &Inside) -> PathBuf {
        self.at.join(path.to_string())
    }

    fn entry(&self, path: &Inside) -> io::Result<(Directory, Vec<u8>)> {
        match (&self.only, path.split()) {
            (Some(name), None) => Ok((self.directory.descend(&Inside::top())?, name.clone())),
            (None, Some((above, name))) => Ok((self.directory.descend(&above)?, name.to_vec())),
            _ => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub(super) fn open(&self, path: &Inside) -> Result<(File, FileStat), VolumeError> {
        let opened = self.entry(path).and_then(|(parent, name)| parent.open_file(&name));
        opened.map_err(|source| self.unreadable(path, source))
    }

    fn unreadable(&self, path: &Inside, source: io::Error) -> VolumeError {
        match source.kind() {
            io::ErrorKind::NotFound => VolumeError::NothingHere { path: self.path(path) },
            _ => VolumeError::Local { doing: "reading", path: self.path(path), source },
        }
    }

    /// Adds the files that `path` names.
    pub(super) fn collect(
        &self,
        shelf: &Shelf,
        path: Bytes,
        wanted: &mut Vec<Inside>,
    ) -> Result<(), VolumeError> {
        let bytes = Vec::from(path);
        let shown = bytes.escape_ascii().to_string();
        let path = Inside::parse(bytes).map_err(|_| VolumeError::Path { path: shown })?;
        let is_directory = self.only.is_none()
            && (path.is_top() || {
                let stat = self.entry(&path).and_then(|(parent, name)| parent.stat(&name));
                stat.map_err(|source| self.unreadable(&path, source))?.kind == FileKind::Directory
            });
        if !is_directory {
            wanted.push(path);
            return Ok(());
        }
        let mut pending = vec![path];
        while let Some(path) = pending.pop() {
            let failed = |source| self.unreadable(&path, source);
            let directory = self.directory.descend(&path).map_err(failed)?;
            for name in directory.names().map_err(failed)? {
                let name = name.map_err(failed)?;
                let (Ok(inside), Ok(stat)) = (path.join(&name), directory.stat(&name)) else {
                    continue;
                };
                match stat.kind {
                    FileKind::Directory => pending.push(inside),
                    FileKind::File if self.is_changed(shelf, &inside, &stat) => wanted.push(inside),
                    _ => {}
                }
                if wanted.len() > MOST {
                    let message = format!("more than {MOST} files to write back; name fewer");
                    let refusal = Refusal::new(RefusalKind::TooLarge, message);
                    return Err(VolumeError::refused(&self.mount, refusal));
                }
            }
        }
        Ok(())
    }

    fn is_changed(&self, shelf: &Shelf, path: &Inside, stat: &FileStat) -> bool {
        let copied = shelf.copy(&self.mount, path);
        copied.is_none_or(|(_, copy)| copy.local != local_version(stat))
    }
}
