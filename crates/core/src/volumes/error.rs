//! Why something with a volume could not be done.

mod words;

use std::io;
use std::path::PathBuf;

use towline_wire::files::{Limit, Refusal, RefusalKind};

pub use self::words::Exceeded;
use self::words::changed;
use super::{Conflict, WrittenBack};
use crate::report::{Code, Explain, Report, causes};

/// Something with a volume could not be done.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    /// The container has no volume there.
    #[error("the container has no volume at {path}; it has {}", if .there.is_empty() { "none".to_owned() } else { .there.join(", ") })]
    Unknown {
        /// What was asked for.
        path: String,
        /// What there is.
        there: Vec<String>,
    },
    /// The volume is kept fresh by itself.
    #[error("{mount} is copied and kept fresh by itself: there is nothing to fetch or to choose")]
    KeptFresh {
        /// The volume.
        mount: String,
    },
    /// The request wants no volumes, or the session has not come so far or is over.
    #[error(
        "{mount} has no place on this machine: the session is not connected, or was begun without volumes"
    )]
    NoPlace {
        /// The volume.
        mount: String,
    },
    /// A path that leads elsewhere.
    #[error("'{path}' is not a path in the volume")]
    Path {
        /// The path as it was given.
        path: String,
    },
    /// Nothing of that name was copied or is here.
    #[error("there is no file {path} on this machine to write back")]
    NothingHere {
        /// The local path.
        path: PathBuf,
    },
    /// No agent can be asked.
    #[error("no agent answers, so {mount} in the pod cannot be reached")]
    NoAgent {
        /// The volume.
        mount: String,
    },
    /// The tunnel broke.
    #[error("asking the agent for {mount} failed: {reason}")]
    Tunnel {
        /// The volume.
        mount: String,
        /// Why.
        reason: String,
    },
    /// The agent does not do it.
    #[error("{mount}: {refusal}")]
    Refused {
        /// The volume.
        mount: String,
        /// What it says.
        #[source]
        refusal: Refusal,
    },
    /// More than the limit.
    #[error("{mount} has more than {}, which is the limit{}", .exceeded.words(*.limit), if *.had { "; what was copied until then stays" } else { "; nothing was copied" })]
    TooLarge {
        /// The volume.
        mount: String,
        /// The limit.
        limit: Limit,
        /// Which part of it.
        exceeded: Exceeded,
        /// Whether some of it was copied.
        had: bool,
    },
    /// Files in the pod are not what was copied; those are as they were.
    #[error("{}", changed(.conflicts, .written))]
    Changed {
        /// Which.
        conflicts: Vec<Conflict>,
        /// What was written nevertheless.
        written: WrittenBack,
    },
    /// The pod that was named has no agent of this session.
    #[error("the session has no pod {pod}; it has {}", if .there.is_empty() { "none at the moment".to_owned() } else { .there.join(", ") })]
    NoSuchPod {
        /// What was asked for.
        pod: String,
        /// What there is.
        there: Vec<String>,
    },
    /// A file here cannot be written or read.
    #[error("{doing} {} failed: {source}", .path.display())]
    Local {
        /// What was done, such as `writing`.
        doing: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl VolumeError {
    pub(crate) fn refused(mount: &str, refusal: Refusal) -> Self {
        Self::Refused { mount: mount.to_owned(), refusal }
    }
}

impl Explain for VolumeError {
    fn explain(&self) -> Report {
        let (code, hint) = match self {
            Self::Unknown { .. } => (Code::Input, Some("`towline files list` shows the volumes.")),
            Self::NoSuchPod { .. } => {
                (Code::Input, Some("`towline status` shows the session's pods."))
            }
            Self::KeptFresh { .. } | Self::Path { .. } => (Code::Input, None),
            Self::NoPlace { .. } => (Code::Input, Some("Wait until the session is connected.")),
            Self::NothingHere { .. } => {
                (Code::Input, Some("Name a file below the volume's place on this machine."))
            }
            Self::NoAgent { .. } | Self::Tunnel { .. } => {
                (Code::Unreachable, Some("Try again when the session has connected again."))
            }
            Self::Refused { refusal, .. } => match refusal.kind {
                RefusalKind::Conflict => (Code::VolumeChanged, CHANGED),
                RefusalKind::TooLarge => (Code::VolumeTooLarge, TOO_LARGE),
                RefusalKind::ReadOnly => (
                    Code::VolumeReadOnly,
                    Some(
                        "A volume that is mounted read-only cannot be written from its container.",
                    ),
                ),
                RefusalKind::Denied => (
                    Code::VolumeReadOnly,
                    Some("The agent has the container's own user, and that user may not."),
                ),
                RefusalKind::NotAVolume | RefusalKind::NotFound => (Code::Input, None),
                RefusalKind::Full => (Code::VolumeReadOnly, Some("Make room in the volume.")),
                RefusalKind::Other => (Code::Api, None),
            },
            Self::TooLarge { exceeded, .. } => (Code::VolumeTooLarge, Some(exceeded.hint())),
            Self::Changed { .. } => (Code::VolumeChanged, CHANGED),
            Self::Local { source, .. } if is_full(source) => (
                Code::DiskFull,
                Some("Make room on this disk. What was there before is as it was."),
            ),
            Self::Local { .. } => (Code::Input, None),
        };
        let message = self.to_string();
        Report { code, message, hint: hint.map(str::to_owned), detail: causes(self) }
    }
}

const TOO_LARGE: Option<&str> = Some("Name some directories or files of it.");

const CHANGED: Option<&str> =
    Some("Copy it again to see what is there now, or overwrite it deliberately.");

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Bytes as people read them.
pub fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let text = format!("{value:.1}");
    format!("{} {}", text.strip_suffix(".0").unwrap_or(&text), UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1 << 30, "1 GiB"),
            (1_600_000, "1.5 MiB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }

    #[test]
    fn a_full_disk_says_so() {
        let source = io::Error::from(io::ErrorKind::StorageFull);
        let error = VolumeError::Local { doing: "writing", path: "/x/y".into(), source };
        let report = error.explain();
        assert_eq!(report.code, Code::DiskFull);
        assert!(report.message.starts_with("writing /x/y failed"), "{}", report.message);
    }
}
