//! Putting workloads back.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use towline_workload::{Progress, PutBackError, Restored, Sweeper, WorkloadRef, put_back};

use super::{SessionStatus, status};
use crate::cluster::{Cluster, list};
use crate::look::Scope;
use crate::report::{Code, Report, causes};
use crate::request::{Target, TargetKind};
use crate::target::{self, TargetError};

/// What to put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// This one, whosever session it is in and whether or not that is alive: who names it means it. A living client learns of it by the loss
    /// of its lease.
    Target {
        /// What the user named.
        target: Target,
        /// Its namespace.
        namespace: String,
    },
    /// Everything whose client is gone.
    Leftovers(Scope),
}

/// What became of one workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoreResult {
    /// The workload.
    pub workload: WorkloadRef,
    /// What became of it.
    #[serde(flatten)]
    pub became: Became,
    /// Why the workload is not in service, although it has been put back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_in_service: Option<String>,
    /// Objects that could not be removed, each with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "became", rename_all = "snake_case")]
pub enum Became {
    /// It is what it was.
    Restored {
        /// Fields that somebody else had changed meanwhile, and that were left as they are.
        kept: Vec<String>,
    },
    /// It was what it was already; what the session had left beside it is gone.
    Cleared,
    /// No session is on it.
    Nothing,
    /// The workload does not exist any more; what the session had left is gone.
    Gone,
    /// A living client keeps the session; it was left alone.
    Live,
    /// Another session took it over in the meantime.
    TakenOver,
    /// It could not be put back.
    Failed {
        /// Why.
        error: Report,
    },
}

/// Puts back what `which` says, one workload after the other; each may take `limit` to come into service again.
///
/// # Errors
///
/// When the sessions cannot be found. A workload that cannot be put back is told in its result.
pub async fn restore(
    cluster: &Cluster,
    which: &Which,
    limit: Duration,
    progress: &mut (dyn FnMut(&WorkloadRef, Progress) + Send),
) -> Result<Vec<RestoreResult>, TargetError> {
    let mut results = Vec::new();
    for status in chosen(cluster, which).await? {
        if status.is_live() && matches!(which, Which::Leftovers(_)) {
            results.push(RestoreResult::plain(status.workload, Became::Live));
            continue;
        }
        results.push(one(cluster, status, limit, progress).await);
    }
    Ok(results)
}

async fn chosen(cluster: &Cluster, which: &Which) -> Result<Vec<SessionStatus>, TargetError> {
    let (target, namespace) = match which {
        Which::Leftovers(scope) => return Ok(status(cluster, scope).await?),
        Which::Target { target, namespace } => (target, namespace),
    };
    target::existing_namespace(cluster, namespace).await?;
    let statuses = status(cluster, &Scope::Namespace(namespace.clone())).await?;
    // By name first: the workload may be gone, and its session's remains are still there.
    let named = |status: &&SessionStatus| is_named(target, &status.workload);
    let by_name: Vec<SessionStatus> = statuses.iter().filter(named).cloned().collect();
    if let [only] = by_name.as_slice() {
        return Ok(vec![only.clone()]);
    }
    let workload = target::workload(cluster, target, namespace).await?;
    let found = statuses.into_iter().find(|status| status.workload == workload);
    Ok(vec![found.unwrap_or_else(|| nothing(workload))])
}

fn is_named(target: &Target, workload: &WorkloadRef) -> bool {
    let kind = target.kind.map(TargetKind::as_str);
    target.name == workload.name && kind.is_none_or(|kind| kind == workload.kind.as_str())
}

fn nothing(workload: WorkloadRef) -> SessionStatus {
    SessionStatus {
        workload,
        workload_exists: true,
        record: None,
        installed: None,
        lease: None,
        restorer: None,
    }
}

async fn one(
    cluster: &Cluster,
    status: SessionStatus,
    limit: Duration,
    progress: &mut (dyn FnMut(&WorkloadRef, Progress) + Send),
) -> RestoreResult {
    let workload = status.workload.clone();
    let mut result = RestoreResult::plain(workload.clone(), Became::Nothing);
    for session in status.sessions() {
        let mut tell = |step: Progress| progress(&workload, step);
        let deadline = Instant::now() + limit;
        let done =
            put_back(&cluster.client(), &workload, &session, Sweeper::Client, deadline, &mut tell)
                .await;
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                result.became = Became::Failed { error: explain(&workload, &error) };
                return result;
            }
        };
        result.not_in_service = done.not_in_service.map(|error| error.to_string());
        result
            .left
            .extend(done.swept.left.into_iter().map(|left| format!("{}: {}", left.what, left.why)));
        let became = match done.restored {
            Restored::NothingToDo => Became::Cleared,
            Restored::Restored { kept_from_others, .. } => {
                Became::Restored { kept: kept_from_others }
            }
            Restored::WorkloadGone => Became::Gone,
            Restored::TakenOver { .. } => Became::TakenOver,
        };
        // Of a take-over that broke off there are two sessions; that the workload was restored is what counts.
        if !matches!(result.became, Became::Restored { .. }) {
            result.became = became;
        }
    }
    result
}

impl RestoreResult {
    fn plain(workload: WorkloadRef, became: Became) -> Self {
        Self { workload, became, not_in_service: None, left: Vec::new() }
    }

    /// Whether all is as it should be.
    pub fn is_fine(&self) -> bool {
        !matches!(self.became, Became::Failed { .. })
            && self.not_in_service.is_none()
            && self.left.is_empty()
    }

    /// What became of the workload, in a sentence.
    pub fn sentence(&self) -> String {
        let workload = &self.workload;
        match &self.became {
            Became::Restored { kept } if kept.is_empty() => format!("{workload} is what it was."),
            Became::Restored { kept } => {
                format!(
                    "{workload} is put back; what others had changed meanwhile was left: {}.",
                    list(kept)
                )
            }
            Became::Cleared => {
                format!("{workload} was put back already; what its session had left is removed.")
            }
            Became::Nothing => {
                format!("No session is on {workload}; there is nothing to put back.")
            }
            Became::Gone => {
                format!("{workload} does not exist any more; what its session had left is removed.")
            }
            Became::Live => {
                format!("{workload} is in a session that is alive; name it to end that.")
            }
            Became::TakenOver => format!("{workload} was taken over by another session meanwhile."),
            Became::Failed { error } => error.message.clone(),
        }
    }
}

fn explain(workload: &WorkloadRef, error: &PutBackError) -> Report {
    let hint = if error.is_transient() {
        "Try again; a restorer in the cluster, where there is one, goes on trying too."
    } else {
        "Do as the message says, then try again."
    };
    Report {
        code: Code::RestoreFailed,
        message: format!("{workload} could not be put back: {error}."),
        hint: Some(hint.to_owned()),
        detail: causes(error),
    }
}
