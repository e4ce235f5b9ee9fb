use std::{io, path::PathBuf};

use crate::Architecture;

/// Why an image could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was being done, as a verb: "read", "write".
        action: &'static str,
        /// The file it was done to.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A directory holds something that has no place in a layer: a socket, a device, a named pipe.
    #[error("cannot pack {}: it is neither a file nor a directory nor a symbolic link; remove it first", .0.display())]
    SpecialFile(PathBuf),
    /// A path leaves the image's root or is empty.
    #[error(
        "cannot pack `{0}`: a path in a layer is relative, not empty, and has no `.` or `..` in it"
    )]
    LayerPath(String),
    /// Two files of one layer have the same path, or one is a directory of the other.
    #[error("cannot pack `{0}`: the layer has a file of this path already")]
    Duplicate(String),
    /// The reference does not name an image with a tag.
    #[error(
        "`{0}` is not a reference that an archive can carry; give it as NAME:TAG, for instance towline.dev/agent:1"
    )]
    Reference(String),
    /// The agent's binary cannot run on the architecture it was given for.
    #[error(
        "this agent is not a Linux program for {architecture}: {found}; build it with `cargo xtask agent-image --arch {architecture}`"
    )]
    Binary {
        /// What was asked for.
        architecture: Architecture,
        /// What the bytes are.
        found: String,
    },
    /// A layer or an archive could not be put together.
    #[error("cannot write {what}")]
    Write {
        /// What was being written.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: `action` is a verb.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// For `map_err`.
    pub(crate) fn write(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write { what, source }
    }
}
