//! The container's volumes as files on this machine.
//!
//! Each stands at `<session's directory>/root/<mount path>`; the local program finds the root in `TOWLINE_ROOT`. Config maps, secrets, projected
//! volumes and the downward API are copied at connect and kept fresh, in the kubelet's own way (`fresh`). Everything else can be large, and
//! may be written by others at the same time: it is measured, copied and written back on demand. Whatever is in a volume, nothing here writes
//! or reads outside of the session's directory: see `towline_beneath`.
//!
//! [`PlannedVolume::of_spec`] says what a container has, for a plan and for a running pod alike (admission may have added to it).

pub mod door;
mod error;
mod fetch;
mod fresh;
mod put;
mod shelf;
mod spec;
mod transfer;
mod writer;

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
pub use towline_wire::files::{Entry, EntryKind, Limit, Listed, Measured, Seen};

pub use self::error::{Exceeded, VolumeError, human};
pub(crate) use self::fresh::keep;
pub(crate) use self::shelf::Shelf;
pub(crate) use self::spec::Of;
pub use self::transfer::Transfer;
use crate::report::Report;
pub use towline_wire::header::Bytes;

/// The variable that tells the local program where the root is.
pub const ROOT_VARIABLE: &str = "TOWLINE_ROOT";

/// How much is copied on demand where nothing else is said.
pub const DEFAULT_LIMIT: Limit = Limit { bytes: 1 << 30, entries: 100_000 };

/// A volume of the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedVolume {
    /// The pod's name for it.
    pub name: String,
    /// Where the container has it: absolute, without `.`, `..` and a slash at its end. Each mount path is there once, so it names the volume.
    pub mount_path: String,
    /// What sort it is.
    pub kind: VolumeKind,
    /// Of what, such as a config map's name.
    pub source: Option<String>,
    /// Whether the container may not write it.
    pub read_only: bool,
    /// Which part of it is mounted, where that is not all.
    pub sub_path: Option<String>,
    /// What happens with it.
    pub handling: Handling,
}

/// The sorts of volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolumeKind {
    /// A config map.
    ConfigMap,
    /// A secret.
    Secret,
    /// Several sources in one: service account tokens, config maps, secrets, the downward API.
    Projected,
    /// Fields of the pod.
    DownwardApi,
    /// The service account's credentials, which the cluster adds by itself.
    ServiceAccount,
    /// A persistent volume claim.
    Claim,
    /// An empty directory that lives as long as its pod.
    EmptyDir,
    /// A directory or file of the node.
    HostPath,
    /// A claim that lives as long as its pod.
    Ephemeral,
    /// A volume of a CSI driver, named in the pod itself.
    Csi,
    /// Anything else.
    Other,
}

impl VolumeKind {
    /// As people say it.
    pub fn words(self) -> &'static str {
        match self {
            Self::ConfigMap => "config map",
            Self::Secret => "secret",
            Self::Projected => "projected",
            Self::DownwardApi => "downward API",
            Self::ServiceAccount => "service account",
            Self::Claim => "claim",
            Self::EmptyDir => "empty directory",
            Self::HostPath => "host path",
            Self::Ephemeral => "ephemeral claim",
            Self::Csi => "CSI",
            Self::Other => "other",
        }
    }
}

/// What happens with a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handling {
    /// It is copied at connect, and kept fresh.
    Copied,
    /// It is copied when the user asks for it.
    OnDemand,
    /// Nothing: the request wants no volumes.
    Left,
}

/// A volume in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// What it is.
    #[serde(flatten)]
    pub planned: PlannedVolume,
    /// The pod whose files these are: of several the first by name, unless another was chosen. None while no agent answers.
    pub pod: Option<String>,
    /// Where it is on this machine; none before the session's directory is there, and where nothing is copied.
    pub local: Option<PathBuf>,
    /// The files that have been copied.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the copy was last known to be the same as the pod's (copied volumes), or was made (others).
    pub fresh_at: Option<Timestamp>,
    /// When the copy last became another.
    pub changed_at: Option<Timestamp>,
    /// How much there is in the pod, as last asked for.
    pub measured: Option<Measured>,
    /// Why it could not be copied, or not be kept fresh.
    pub error: Option<Report>,
}

impl Volume {
    /// One of which nothing is here yet.
    pub fn new(planned: PlannedVolume) -> Self {
        Self {
            planned,
            pod: None,
            local: None,
            files: 0,
            bytes: 0,
            fresh_at: None,
            changed_at: None,
            measured: None,
            error: None,
        }
    }
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Files that are here.
    pub files: u64,
    /// Bytes that are here, those of the file that is on its way included.
    pub bytes: u64,
    /// What there is to copy, once it has been measured.
    pub of: Option<Measured>,
}

/// What came of copying on demand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// Files that were copied.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Links that were copied.
    pub links: u64,
    /// What was not copied, and why; at most [`MOST_SKIPPED`] of them.
    pub skipped: Vec<Skipped>,
    /// How many were not copied.
    pub skipped_count: u64,
}

/// The most entries of [`Fetched::skipped`].
pub const MOST_SKIPPED: usize = 1000;

/// Something that was not copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Where in the volume, as people read it.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Whether a file in the pod that is not what it was when it was copied is overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IfChanged {
    /// No: [`VolumeError::Changed`].
    Refuse,
    /// Yes.
    Overwrite,
}

/// A file that was not written back, because the one in the pod is not what was copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Where in the volume.
    pub path: String,
    /// What the agent says of it, as a sentence without its end.
    pub reason: String,
    /// The file on this machine.
    pub here: Seen,
    /// The file in the pod; none: it is gone, or is no file.
    pub there: Option<Seen>,
}

/// What came of writing back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenBack {
    /// The files that were written, as paths in the volume.
    pub files: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
}
