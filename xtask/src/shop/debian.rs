//! A directory with some Debian packages in it, for an image.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use towline_image::Digest;
use xshell::{Shell, cmd};

/// What a program never reads, in any package.
const UNWANTED: &[&str] = &[
    "etc/default",
    "etc/init.d",
    "etc/logrotate.d",
    "lib/systemd",
    "usr/lib/aarch64-linux-gnu/gconv",
    "usr/lib/systemd",
    "usr/lib/x86_64-linux-gnu/gconv",
    "usr/share/applications",
    "usr/share/doc",
    "usr/share/lintian",
    "usr/share/man",
    "usr/share/pixmaps",
];

/// Files that no package brings along. There is no shell and no other user: whoever a pod says runs the program.
const FILES: &[(&str, &str)] = &[
    ("etc/passwd", "root:x:0:0:root:/:/nonexistent\nshop:x:1000:1000:shop:/:/nonexistent\n"),
    ("etc/group", "root:x:0:\nshop:x:1000:\n"),
    ("etc/nsswitch.conf", "hosts: files dns\n"),
];

/// Packages, and what is done to them.
#[derive(Debug)]
pub(super) struct Tree {
    /// All of them: dependencies are not followed, because they would bring a whole system.
    pub(super) packages: &'static [&'static str],
    /// Paths that are left out.
    pub(super) unwanted: &'static [&'static str],
    /// Symbolic links: where, and to what.
    pub(super) links: &'static [(&'static str, &'static str)],
    /// Run in the tree at last; a package that is missing in the list shows here, and not in a pod.
    pub(super) commands: &'static [&'static [&'static str]],
}

impl Tree {
    /// Unpacks the tree into a directory of `cache`, which holds nothing else, if it is not there yet, and tells where it is.
    pub(super) fn unpack(&self, cache: &Path) -> Result<PathBuf> {
        let root = cache.join(&self.digest().hex()[..16]);
        if root.exists() {
            return Ok(root);
        }
        // What an older recipe or a killed run has left.
        remove(cache).with_context(|| format!("remove {}", cache.display()))?;
        let (downloads, partial) = (cache.join("packages"), cache.join("partial"));
        for directory in [&downloads, &partial] {
            fs::create_dir_all(directory)
                .with_context(|| format!("create {}", directory.display()))?;
        }
        self.fill(&downloads, &partial)?;
        fs::remove_dir_all(&downloads)
            .with_context(|| format!("remove {}", downloads.display()))?;
        // Last: a tree under its own name is complete.
        fs::rename(&partial, &root).with_context(|| format!("rename {}", partial.display()))?;
        Ok(root)
    }

    /// Differs for two trees that differ.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(format!("{self:?} {UNWANTED:?} {FILES:?}").as_bytes())
    }

    fn fill(&self, downloads: &Path, root: &Path) -> Result<()> {
        download(downloads, self.packages)?;
        let sh = Shell::new()?;
        for package in sh
            .read_dir(downloads)?
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "deb"))
        {
            cmd!(sh, "dpkg-deb --extract {package} {root}").quiet().run()?;
        }
        for path in UNWANTED.iter().chain(self.unwanted).map(|path| root.join(path)) {
            remove(&path).with_context(|| format!("remove {}", path.display()))?;
        }
        for (path, text) in FILES {
            fs::create_dir_all(root.join("etc"))?;
            fs::write(root.join(path), text).with_context(|| format!("write {path}"))?;
        }
        for (path, target) in self.links {
            symlink(target, root.join(path)).with_context(|| format!("link {path}"))?;
        }
        fs::create_dir_all(root.join("tmp"))?;
        fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
        for &command in self.commands {
            let output = cmd!(sh, "chroot {root} {command...}").quiet().ignore_status().output()?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                bail!("`{}` does not run on these packages: {}", command.join(" "), said.trim());
            }
        }
        Ok(())
    }
}

/// Packages as files, from wherever this machine gets its own.
fn download(directory: &Path, packages: &[&str]) -> Result<()> {
    let sh = Shell::new()?;
    sh.change_dir(directory);
    // apt's own user may not write below root's home.
    let fetch = || {
        cmd!(sh, "apt-get --quiet --quiet --option APT::Sandbox::User=root download {packages...}")
            .quiet()
            .ignore_stdout()
            .ignore_stderr()
            .run()
    };
    if fetch().is_ok() {
        return Ok(());
    }
    // Lists that are missing or out of date: the usual reason.
    cmd!(sh, "apt-get --quiet --quiet --option DPkg::Lock::Timeout=600 update")
        .quiet()
        .ignore_stdout()
        .run()?;
    cmd!(sh, "apt-get --quiet --quiet --option APT::Sandbox::User=root download {packages...}")
        .quiet()
        .run()
        .context("download Debian packages; the sample application's images are made of them")
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    }
}
