//! What can be wrong with a project file.

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use towline_core::report::{Code, Explain, Report};

/// A place in a file.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Place {
    /// From 1 on.
    pub line: u64,
    /// In characters, from 1 on.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The project file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// It cannot be read.
    #[error("The project file {} cannot be read: {source}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is too long to be one.
    #[error("{} has {length} bytes, and is no project file: those have at most 1 MiB", .file.display())]
    TooLong {
        /// The file.
        file: PathBuf,
        /// Its bytes.
        length: u64,
    },
    /// Something in it is wrong.
    #[error("{}, {place}: {message}", .file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// Where.
        place: Place,
        /// What.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// It was found above the working directory, and is somebody else's: what it says would run as this user.
    #[error("{} belongs to another user, and is not used unasked", .0.display())]
    AnothersFile(PathBuf),
    /// There is none, and no target on the command line either.
    #[error("No target is given, and there is no towline.yaml in {} or above it", .0.display())]
    None(PathBuf),
    /// It says no target, and neither does the command line.
    #[error("{} says no target", .file.display())]
    NoTarget {
        /// The file.
        file: PathBuf,
    },
}

impl Explain for ProjectError {
    fn explain(&self) -> Report {
        let hint = match self {
            Self::Read { .. } | Self::TooLong { .. } => None,
            Self::Wrong { hint, .. } => hint.clone(),
            Self::AnothersFile(file) => {
                Some(format!("If you trust it, name it: --project {}.", file.display()))
            }
            Self::None(_) => Some(
                "Name a target (`towline services` lists what can be redirected), or a file with --project FILE.".to_owned(),
            ),
            Self::NoTarget { file } => Some(format!(
                "Name it on the command line: `towline connect TARGET --project {}`.",
                file.display()
            )),
        };
        Report { code: Code::Input, message: format!("{self}."), hint, detail: None }
    }
}
