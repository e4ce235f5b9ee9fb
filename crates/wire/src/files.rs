//! Files of the container's volumes.
//!
//! A stream of kind [`crate::ToAgent::Files`] asks one thing. [`Ask::Mounts`], [`Ask::Measure`] and [`Ask::List`] are answered by one frame, a
//! [`Result`]. [`Ask::Fetch`] and [`Ask::Watch`] are answered by the records of [`record`], which carry bytes as they are; yamux's flow control
//! is what holds a fast reader of disks back. For [`Ask::Put`] see there.
//!
//! Paths are bytes and relative to a mount, which is named by where it is in the container. Both sides take them apart themselves and trust
//! nothing about them.

pub mod record;

use serde::{Deserialize, Serialize};

use crate::header::Bytes;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// What is mounted in the container: `Result<Vec<Mount>, Refusal>`.
    Mounts,
    /// How much is there, below these paths or (without any) in all: `Result<Measured, Refusal>`.
    Measure {
        /// The mount.
        mount: Bytes,
        /// Paths in it.
        paths: Vec<Bytes>,
        /// After so many entries it stops counting, and says so.
        most: u64,
    },
    /// What a directory has: `Result<Listed, Refusal>`. Where it has more than `most`, directories come before all else, and the first names before the
    /// later ones, as far as there is time to find them.
    List {
        /// The mount.
        mount: Bytes,
        /// The directory in it.
        path: Bytes,
        /// At most so many entries.
        most: u32,
    },
    /// The files below these paths, as records; the last is [`record::Item::Done`] or [`record::Item::Refused`].
    Fetch {
        /// The mount.
        mount: Bytes,
        /// Paths in it; none: everything.
        paths: Vec<Bytes>,
        /// How much may come.
        limit: Limit,
    },
    /// Each of these mounts whole, as records, now and after each change, until the stream ends: from [`record::Item::Begin`] to
    /// [`record::Item::Commit`] or [`record::Item::Discard`].
    Watch {
        /// The mounts.
        mounts: Vec<Bytes>,
    },
    /// Writes one file. The agent answers with `Result<(), Refusal>` whether it takes it; then come its bytes as data records and an
    /// [`record::Item::End`]; then the agent answers with `Result<Version, Refusal>`.
    Put {
        /// The mount.
        mount: Bytes,
        /// The file in it.
        path: Bytes,
        /// How many bytes will come.
        size: u64,
        /// What must be there.
        expect: Expect,
    },
}

/// A mount of the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where.
    pub path: Bytes,
    /// Whether it cannot be written, as the kernel has it.
    pub read_only: bool,
    /// Such as `ext4`, `tmpfs`, `nfs4`.
    pub file_system: String,
    /// Whether it is a directory; a `subPath` can be a file.
    pub directory: bool,
}

/// How much is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Regular files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Directories.
    pub directories: u64,
    /// Symbolic links.
    pub links: u64,
    /// Devices, pipes and sockets, which are not copied.
    pub special: u64,
    /// What may not be read.
    pub unreadable: u64,
    /// Whether that is all; otherwise there is more.
    pub complete: bool,
}

/// The entries of a directory, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether that is all.
    pub complete: bool,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub name: Bytes,
    /// What it is.
    pub kind: EntryKind,
    /// A file's bytes.
    pub size: u64,
    /// When it was changed, in seconds since 1970.
    pub modified: i64,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, a pipe, a socket.
    Special,
}

/// How much may be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Bytes of files.
    pub bytes: u64,
    /// Entries of any kind.
    pub entries: u64,
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Version {
    /// Its inode's number.
    pub inode: u64,
    /// Its length in bytes.
    pub size: u64,
    /// When anything of it was changed (`st_ctim`): seconds and nanoseconds.
    pub changed: (i64, u32),
}

/// What must be there for a file to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "expect", rename_all = "snake_case")]
pub enum Expect {
    /// Nothing.
    Absent,
    /// This very state of the file.
    Same {
        /// Which.
        version: Version,
    },
    /// A file or nothing.
    Anything,
}

/// The agent does not do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What sort; the caller decides by this.
    pub kind: RefusalKind,
    /// The whole sentence.
    pub message: String,
    /// With [`RefusalKind::Conflict`]: the file that is there; nothing where there is none, or something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there: Option<Seen>,
}

/// A file as people look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its length in bytes.
    pub size: u64,
    /// When its bytes were changed, in seconds since 1970.
    pub modified: i64,
}

/// The sorts of [`Refusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// Not a volume of the container.
    NotAVolume,
    /// Nothing there, or a path that is none.
    NotFound,
    /// The volume cannot be written.
    ReadOnly,
    /// The file is not what was expected.
    Conflict,
    /// More than the limit.
    TooLarge,
    /// The agent's user may not.
    Denied,
    /// The volume is full.
    Full,
    /// Something else; the message says what.
    Other,
}

impl Refusal {
    /// One of this sort.
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), there: None }
    }

    /// What an error of the system means.
    pub fn of(what: impl std::fmt::Display, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as E;
        let kind = match error.kind() {
            E::NotFound | E::NotADirectory => RefusalKind::NotFound,
            E::PermissionDenied => RefusalKind::Denied,
            E::ReadOnlyFilesystem => RefusalKind::ReadOnly,
            E::StorageFull | E::QuotaExceeded => RefusalKind::Full,
            _ => RefusalKind::Other,
        };
        Self::new(kind, format!("{what}: {error}"))
    }
}
