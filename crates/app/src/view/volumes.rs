//! Volumes of a session as files of this machine.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Report, Volume};

/// A volume of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionVolume {
    /// What it is in the pod.
    pub volume: Volume,
    /// The pod whose files these are; null: no agent answers.
    pub pod: Option<String>,
    /// Where its files are on this machine; null: there are none.
    pub path: Option<String>,
    /// How it stands.
    pub state: VolumeState,
    /// How much it has in the cluster, once measured.
    pub size: Option<VolumeSize>,
}

/// How a volume stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum VolumeState {
    /// Its files have not come yet.
    Waiting,
    /// Its files are here, as they are in the pod.
    Fresh {
        /// Since when: the last change came then.
        #[ts(type = "number")]
        since: i64,
    },
    /// Files come when the user chooses some.
    OnDemand,
    /// Files are coming.
    Fetching {
        /// Bytes that are here.
        #[ts(type = "number")]
        bytes: u64,
        /// Of so many; null: not measured.
        #[ts(type = "number | null")]
        total: Option<u64>,
        /// Files that are here.
        #[ts(type = "number")]
        files: u64,
    },
    /// The files that were chosen are here, as they were then.
    Fetched {
        /// When.
        #[ts(type = "number")]
        at: i64,
        /// How many.
        #[ts(type = "number")]
        files: u64,
        /// How much.
        #[ts(type = "number")]
        bytes: u64,
    },
    /// Something has failed.
    Failed {
        /// What.
        report: Report,
    },
    /// It does not come to this machine.
    Left,
}

/// How much a volume has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VolumeSize {
    /// Files.
    #[ts(type = "number")]
    pub files: u64,
    /// Their bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Whether that is all; otherwise there is more.
    pub complete: bool,
}

/// What a directory of a volume has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VolumeListing {
    /// The entries, by name.
    pub entries: Vec<VolumeEntry>,
    /// Whether that is all.
    pub complete: bool,
}

/// An entry of a directory of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VolumeEntry {
    /// Its name. One that is no UTF-8 is shown replaced, and cannot be chosen.
    pub name: String,
    /// What it is.
    pub kind: VolumeEntryKind,
    /// A file's bytes.
    #[ts(type = "number")]
    pub size: u64,
    /// When it was changed.
    #[ts(type = "number")]
    pub modified: i64,
    /// Whether it can be chosen.
    pub choosable: bool,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum VolumeEntryKind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A link.
    Link,
    /// A device, a pipe, a socket.
    Special,
}

/// What becomes of a file in the pod that is not what was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum IfChanged {
    /// It stays, and is told.
    Refuse,
    /// It is overwritten.
    Overwrite,
}

/// What came of writing files back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WriteOutcome {
    /// How many files were written.
    pub written: u32,
    /// Those that were not, because the pod's are not what was copied.
    pub conflicts: Vec<WriteConflict>,
}

/// A file that was not written back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WriteConflict {
    /// Where in the volume.
    pub path: String,
    /// What the agent says of it, without a full stop.
    pub reason: String,
    /// This machine's file.
    pub here: FileState,
    /// The pod's file; null: it is gone, or is no file.
    pub there: Option<FileState>,
}

/// A file's size and age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FileState {
    /// Its bytes.
    #[ts(type = "number")]
    pub size: u64,
    /// When its bytes were changed.
    #[ts(type = "number")]
    pub modified: i64,
}
