//! What can be wrong with the hosts file.

use std::io;
use std::path::PathBuf;

/// What keeps a hosts file from being written.
const WHY_NOT: &str = if cfg!(windows) {
    "does it have the attribute read-only, or does an antivirus program guard it?"
} else {
    "is the file system read-only, or the file immutable, see lsattr?"
};

/// Why the hosts file was not read or not changed. It is as it was before in every case but [`HostsFileError::Damaged`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostsFileError {
    /// It is not there.
    #[error("there is no hosts file {}; create it, empty or with the line `127.0.0.1 localhost`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It is a symbolic link: what it leads to belongs to something else (NixOS, a dotfiles tool), or to an attacker.
    #[error(
        "the hosts file {} is a symbolic link, and a file behind a link is never changed; replace the link by a file, or connect without administrator rights",
        path.display()
    )]
    Link {
        /// The file.
        path: PathBuf,
    },
    /// It is a directory, a device, a pipe.
    #[error("the hosts file {} is not a regular file", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// It is larger than [`super::LIMIT`], or would become so.
    #[error("the hosts file {} would have more than {} bytes, which look-ups would read each time", path.display(), super::LIMIT)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It, or its directory, cannot be written: a read-only file system, an immutable file.
    #[error(
        "the hosts file {} cannot be changed: {source}; make it writable ({WHY_NOT}), or connect without administrator rights",
        path.display()
    )]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no room for it.
    #[error("there is no room to change the hosts file {}: {source}; free some space on its file system", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Reading failed.
    #[error("cannot read the hosts file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing failed, and the file is as it was.
    #[error("cannot write the hosts file {} ({doing}): {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else changed it each time between reading and writing.
    #[error("the hosts file {} was changed by another program at the same moment, {attempts} times in a row; try again", path.display())]
    Contended {
        /// The file.
        path: PathBuf,
        /// How often it was tried.
        attempts: u32,
    },
    /// The lock that keeps helpers apart cannot be had.
    #[error("cannot lock the hosts file by {}: {source}", path.display())]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing in place failed half-way, and so did putting the old bytes back.
    #[error("the hosts file {} was left half-written: {source}; its content before is in {}", path.display(), copy.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where what it held before is.
        copy: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
