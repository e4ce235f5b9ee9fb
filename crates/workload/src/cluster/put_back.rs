//! All that it takes to end a session in the cluster, in order.

use std::time::Duration;

use kube::Client;
use tokio::time::Instant;

use super::evict::evict;
use super::replace::replace_pods;
use super::request::RequestError;
use super::restore::{Expect, RestoreError, Restored, restore};
use super::sweep::{Sweeper, Swept, sweep};
use super::wait::{Progress, WaitError, wait_restored};
use crate::{Direction, WorkloadRef};

/// How long sweeping may take at least.
const SWEEP: Duration = Duration::from_secs(30);

/// How far [`put_back`] came.
#[derive(Debug)]
pub struct PutBack {
    /// What became of the workload.
    pub restored: Restored,
    /// Why the workload is not back in service, if it is not. It has been restored all the same.
    pub not_in_service: Option<WaitError>,
    /// What was left behind.
    pub swept: Swept,
}

/// Restores the workload, sees its pods replaced, waits until it is in service (until `deadline`), and removes what the session has left.
/// The session is swept even when the workload had been restored before, or does not come into service. Another session is left alone.
///
/// # Errors
/// When the workload could not be restored, or the server could not be reached for sweeping; call it again then.
pub async fn put_back(
    client: &Client,
    workload: &WorkloadRef,
    session: &str,
    sweeper: Sweeper,
    deadline: Instant,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<PutBack, PutBackError> {
    let restored = restore(client, workload, &Expect::Session(session.to_owned())).await?;
    if let Restored::Restored { kept_from_others, .. } = &restored {
        progress(Progress::Written { kept_from_others: kept_from_others.clone() });
    }
    let not_in_service = match &restored {
        // The session's pods are the other session's business now.
        Restored::TakenOver { .. } => None,
        _ => follow(client, workload, session, deadline, progress).await.err(),
    };
    if not_in_service.is_some() {
        // Whatever the workload's own pods do, no agent stays. A missing right is told by the sweep, which needs the same one.
        match evict(client, workload, session).await {
            Err(error) if !error.is_forbidden() => return Err(error.into()),
            _ => {}
        }
    }
    progress(Progress::Sweeping);
    // Waiting may have taken all the time there was.
    let deadline = deadline.max(Instant::now() + SWEEP);
    let swept = sweep(client, workload, session, sweeper, deadline).await?;
    Ok(PutBack { restored, not_in_service, swept })
}

async fn follow(
    client: &Client,
    workload: &WorkloadRef,
    session: &str,
    deadline: Instant,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), WaitError> {
    replace_pods(client, workload, session, Direction::ToOriginal, deadline, progress).await?;
    wait_restored(client, workload, session, deadline, progress).await
}

/// The session could not be ended.
#[derive(Debug, thiserror::Error)]
pub enum PutBackError {
    /// The workload is not restored.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The workload is restored; something of the session may be left.
    #[error(transparent)]
    Sweep(#[from] RequestError),
}

impl PutBackError {
    /// Whether trying again later may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Restore(error) => error.is_transient(),
            Self::Sweep(failure) => failure.is_transient(),
        }
    }
}
