//! Checks of this machine and of clusters, and what earlier runs have left.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Tone;

/// A check of this machine or of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DiagnosticCheck {
    /// Stable, such as `kubeconfig`, `plugins`, `api-latency:sandbox`.
    pub id: String,
    /// `This machine`, or the context.
    pub group: String,
    /// Two or three words.
    pub title: String,
    /// How it came out.
    pub tone: Tone,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub fix: Option<String>,
    /// The fix that Towline can make by itself.
    pub action: Option<DiagnosticAction>,
}

/// What Towline can do about a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DiagnosticAction {
    /// `repair` of this leftover.
    Repair {
        /// The leftover's id.
        leftover: String,
    },
    /// `repair_hosts`.
    RepairHosts,
    /// Go to the settings.
    OpenSettings,
    /// `connect_cluster` of this context.
    ConnectCluster {
        /// The context.
        context: String,
    },
}

/// A session whose client is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Leftover {
    /// The session's id.
    pub id: String,
    /// The context.
    pub context: String,
    /// The namespace.
    pub namespace: String,
    /// The workload, as `deployment/orders`.
    pub workload: String,
    /// Whose session it was; null: this user's, as this machine's journal says.
    pub user: Option<String>,
    /// On which machine.
    pub host: Option<String>,
    /// When it began.
    #[ts(type = "number | null")]
    pub started: Option<i64>,
    /// What is known of it, in a sentence.
    pub message: String,
    /// Whether it is being repaired.
    pub repairing: bool,
}

/// What came of a repair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Repaired {
    /// Good: all is as it was. Warning: look at the message.
    pub tone: Tone,
    /// The sentence.
    pub message: String,
}
