//! What an error becomes at the edge: for a window that decides by code, and for a person who reads.

use serde::{Deserialize, Serialize};

/// An error as the user meets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What sort of error; programs decide by this, never by text.
    pub code: Code,
    /// What was being done, to what, and why it failed: one or two sentences.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The technical chain of causes, output of plugins, events of pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The sorts of [`Report`]. The command line's exit status is made of these, see [`Code::exit_status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// There is no kubeconfig.
    KubeconfigMissing,
    /// A kubeconfig cannot be read or understood.
    KubeconfigBroken,
    /// No such context in the kubeconfig.
    ContextUnknown,
    /// The exec plugin of the context is missing or failed.
    ExecPlugin,
    /// The cluster does not answer.
    Unreachable,
    /// The credentials were not accepted: expired, unknown.
    Unauthorized,
    /// A right is missing.
    Forbidden,
    /// No such namespace.
    NamespaceUnknown,
    /// No such service, workload or pod.
    TargetUnknown,
    /// The target cannot be redirected: no selector, no pods, paused.
    TargetUnsuitable,
    /// No such container, or a choice is needed.
    ContainerUnknown,
    /// No such port, or a mapping that makes no sense.
    PortUnknown,
    /// A local port is taken.
    LocalPortTaken,
    /// A name of the cluster has another meaning on this machine already.
    NameTaken,
    /// The hosts file cannot be read or changed.
    HostsFile,
    /// The administrator's rights were not given: refused, or the question was dismissed. Nothing has been changed.
    NotGranted,
    /// The helper, which has the administrator's rights, cannot be started or does not do what it is asked to.
    Helper,
    /// Another session has the workload.
    Busy,
    /// The workload changed between plan and act.
    Changed,
    /// The agent's pod did not come: image, quota, admission, scheduling; the message says which.
    AgentNotStarted,
    /// The agent is of a version that does not match.
    AgentVersion,
    /// Something did not happen within its limit.
    TimedOut,
    /// The user's program could not be started.
    Program,
    /// The workload could not be put back; the restorer still tries where there is one.
    RestoreFailed,
    /// A file in the pod is not what was copied.
    VolumeChanged,
    /// A volume has more than the limit.
    VolumeTooLarge,
    /// A volume cannot be written.
    VolumeReadOnly,
    /// A disk of this machine is full.
    DiskFull,
    /// A file or a setting of the user is wrong.
    Input,
    /// The cluster answered with something else.
    Api,
    /// A fault of Towline itself.
    Internal,
}

impl Code {
    /// The exit status of `towline` for this error: 2 for wrong input, 3 for the way to the cluster, 4 for missing rights,
    /// 5 for a busy target, 6 for an agent that does not start, 7 for a workload that is not put back, else 1.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::KubeconfigMissing
            | Self::KubeconfigBroken
            | Self::ContextUnknown
            | Self::NamespaceUnknown
            | Self::TargetUnknown
            | Self::TargetUnsuitable
            | Self::ContainerUnknown
            | Self::PortUnknown
            | Self::LocalPortTaken
            | Self::NameTaken
            | Self::HostsFile
            | Self::VolumeTooLarge
            | Self::VolumeReadOnly
            | Self::Input => 2,
            Self::ExecPlugin | Self::Unreachable | Self::Unauthorized => 3,
            Self::Forbidden | Self::NotGranted => 4,
            Self::Busy | Self::Changed | Self::VolumeChanged => 5,
            Self::AgentNotStarted | Self::AgentVersion => 6,
            Self::RestoreFailed => 7,
            Self::DiskFull
            | Self::TimedOut
            | Self::Helper
            | Self::Program
            | Self::Api
            | Self::Internal => 1,
        }
    }
}

/// Errors that know how to present themselves.
pub trait Explain: std::error::Error {
    /// This error for the user.
    fn explain(&self) -> Report;
}

/// The chain of causes below `error`, one a line; none when it has no source.
pub fn causes(error: &dyn std::error::Error) -> Option<String> {
    let lines: Vec<String> = std::iter::successors(error.source(), |error| error.source())
        .map(ToString::to_string)
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
