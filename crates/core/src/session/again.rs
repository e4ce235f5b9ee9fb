//! Connecting again after the cluster has put the workload back by itself: with a fresh plan, as a session of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::actor::Actor;
use super::backoff::Backoff;
use super::error::SessionError;
use super::lease::{Holder, Leases, holder_of};
use crate::plan::Plan;
use crate::report::Explain;

/// How long the restorer may take to remove what it has left to remove, its lease among it.
const SWEPT: Duration = Duration::from_secs(90);

impl Actor {
    /// A plan for the same request. Waits until the old session's lease is gone: its restorer may still be at work.
    pub(super) async fn plan_again(&self) -> Result<Plan, SessionError> {
        let leases = Leases { cluster: &self.cluster, workload: &self.plan.workload };
        let deadline = Instant::now() + SWEPT;
        let mut backoff = Backoff::new();
        loop {
            let lease = leases.read().await;
            let ours = lease
                .map(|lease| holder_of(lease.as_ref(), self.plan.session.as_str()) == Holder::Us);
            match ours {
                Ok(false) => break,
                Err(error) if Instant::now() >= deadline => {
                    return Err(self.cluster.explain("read the session's lease", error).into());
                }
                // A lease that stays has lost its restorer; the plan says what is in the way.
                Ok(true) if Instant::now() >= deadline => break,
                Ok(true) | Err(_) => backoff.wait().await,
            }
        }
        let plan = Plan::make(&self.cluster, &self.plan.request)
            .await
            .map_err(|error| SessionError::Replan(error.explain()))?;
        let blocker = plan.blockers().next().map(|check| check.message.clone());
        match blocker {
            Some(message) => Err(SessionError::Blocked(message)),
            None => Ok(plan),
        }
    }
}
