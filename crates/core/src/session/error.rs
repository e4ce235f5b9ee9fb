//! Why a session did not come about, or could not be ended cleanly.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use towline_workload::{InstallError, PutBackError, RequestError, SessionRecord, WorkloadRef};

use super::register::NamesError;
use crate::cluster::ClusterError;
use crate::environment::EnvFileError;
use crate::journal::JournalError;
use crate::report::{Code, Explain, Report, causes};

#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// A request failed.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A request of the workload's crate failed.
    #[error("{0}")]
    Request(#[from] RequestError),
    /// Somebody else has the workload.
    #[error("{workload} is redirected by {} on {} since {}{}", .by.user, .by.host, .by.started, if *.lapsed { ", who has not been heard of for longer than the lease" } else { "" })]
    Busy { workload: WorkloadRef, by: Box<SessionRecord>, lapsed: bool },
    /// The lease is taken by something that is not Towline's.
    #[error(
        "The lease {lease} in namespace {namespace} is held by '{holder}', which is no session of Towline"
    )]
    ForeignLease { lease: String, namespace: String, holder: String },
    /// The workload is not what the plan was made for.
    #[error("{workload} was changed after the plan was made: {what}")]
    Changed { workload: WorkloadRef, what: String },
    /// The agent cannot be put there.
    #[error("The agent cannot be put into {workload}: {source}")]
    Install {
        workload: WorkloadRef,
        #[source]
        source: Box<InstallError>,
    },
    /// A pod that is needed does not come.
    #[error("{whose} did not start: {cause}")]
    NotStarted { whose: String, cause: String, hint: String },
    /// Not all pods came in time.
    #[error("Only {up} of {wanted} pods of {workload} had the agent running after {} s: {cause}", .limit.as_secs())]
    TimedOut { workload: WorkloadRef, up: usize, wanted: usize, limit: Duration, cause: String },
    /// The agent does not take us.
    #[error("The agent in pod {pod} does not take the session: {reason}")]
    AgentVersion { pod: String, reason: String },
    /// The port-forward is refused.
    #[error("Could not forward a port to pod {pod}: {reason}")]
    Tunnel { pod: String, reason: String },
    /// A file of ours cannot be written.
    #[error("{} cannot be written: {source}", .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The names of the cluster cannot be had on this machine.
    #[error("The names of the cluster cannot be had here: {0}")]
    Names(#[source] NamesError),
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The env file cannot be written.
    #[error("The environment cannot be written: {0}")]
    EnvFile(#[from] EnvFileError),
    /// A fresh plan for connecting again says no.
    #[error("{0}")]
    Blocked(String),
    /// Making that plan failed.
    #[error("{}", .0.message)]
    Replan(Report),
    /// The caller's variables cannot be put over the environment.
    #[error("{}", .0.message)]
    Overlay(Report),
    /// The workload could not be put back.
    #[error("{workload} could not be put back: {source}")]
    PutBack {
        workload: WorkloadRef,
        lease: Duration,
        since: Timestamp,
        restorer: bool,
        #[source]
        source: Box<PutBackError>,
    },
}

impl Explain for SessionError {
    fn explain(&self) -> Report {
        let report = |code, hint: Option<String>| Report {
            code,
            message: self.to_string(),
            hint,
            detail: causes(self),
        };
        match self {
            Self::Cluster(error) => error.explain(),
            Self::Names(error) => error.explain(),
            Self::Replan(report) | Self::Overlay(report) => report.clone(),
            Self::Request(failure) => Report {
                message: format!("A request to the cluster failed: {failure}"),
                ..report(
                    code_of(failure),
                    Some("See what the API server says, then try again.".to_owned()),
                )
            },
            Self::Busy { workload, .. } => report(
                Code::Busy,
                Some(format!(
                    "Ask them to stop, end their session with --take-over, or put the workload back with: towline restore {}/{} -n {}",
                    workload.kind, workload.name, workload.namespace
                )),
            ),
            Self::ForeignLease { lease, namespace, .. } => report(
                Code::Busy,
                Some(format!("Look at it with: kubectl get lease {lease} -n {namespace} -o yaml")),
            ),
            Self::Changed { .. } => report(
                Code::Changed,
                Some("Make the plan again: run the same command once more.".to_owned()),
            ),
            Self::Install { .. } => report(Code::TargetUnsuitable, None),
            Self::NotStarted { hint, .. } => report(Code::AgentNotStarted, Some(hint.clone())),
            Self::TimedOut { .. } => report(
                Code::AgentNotStarted,
                Some("Look at the pods' events, or give them more time with --timeout.".to_owned()),
            ),
            Self::AgentVersion { .. } => report(
                Code::AgentVersion,
                Some(
                    "Use the agent's image of this version of Towline (--agent-image).".to_owned(),
                ),
            ),
            Self::Tunnel { .. } => report(
                Code::Forbidden,
                Some("Ask for the rights that `towline rbac` prints.".to_owned()),
            ),
            Self::File { .. } | Self::Journal(_) | Self::EnvFile(_) => report(
                Code::Input,
                Some("See that the directory exists, is yours, and has room.".to_owned()),
            ),
            Self::Blocked(_) => {
                report(Code::Changed, Some("See `towline plan` for what is in the way.".to_owned()))
            }
            Self::PutBack { workload, lease, restorer, .. } => {
                let by_itself = match restorer {
                    true => format!(
                        "The cluster puts it back by itself about {} s after it last heard of this session. ",
                        lease.as_secs()
                    ),
                    false => String::new(),
                };
                let command = format!(
                    "towline restore {}/{} -n {}",
                    workload.kind, workload.name, workload.namespace
                );
                report(
                    Code::RestoreFailed,
                    Some(format!("{by_itself}To do it yourself: {command}")),
                )
            }
        }
    }
}

fn code_of(failure: &RequestError) -> Code {
    match failure.code() {
        Some(401) => Code::Unauthorized,
        Some(403) => Code::Forbidden,
        Some(_) => Code::Api,
        None if failure.is_transient() => Code::Unreachable,
        None => Code::Api,
    }
}
