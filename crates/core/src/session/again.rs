//! Connecting again after the cluster has put the workload back by itself: with a fresh plan, as a session of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::Command;
use super::actor::Actor;
use super::error::SessionError;
use super::lease::{Holder, Leases, holder_of};
use crate::backoff::Backoff;
use crate::event::{End, What};
use crate::plan::Plan;
use crate::report::Explain;
use crate::request::{Program, Request};

/// How long the restorer may take to remove what it has left to remove, its lease among it.
const SWEPT: Duration = Duration::from_secs(90);

/// How often a session that lapsed, and is to connect again by itself, tries to.
const TRY_AGAIN: Duration = Duration::from_secs(10);

impl Actor {
    /// The cluster has put the workload back by itself. Waits to be asked to connect again, or to end; `None`: connect.
    pub(super) async fn lapsed(&mut self) -> Option<End> {
        self.register.withdraw().await;
        self.chronicle.tell(What::Lapsed);
        self.remove_journal();
        self.touched = false;
        let by_itself = self.plan.request.reconnect;
        // Once more without a pause, unless that is what has just failed.
        let mut wanted = by_itself && !self.again;
        self.again = true;
        let mut told = String::new();
        loop {
            if wanted {
                match self.plan_again().await {
                    Ok(plan) => {
                        self.plan = plan;
                        let (session, workload) = (&self.plan.session, &self.plan.workload);
                        self.chronicle.begin_again(session.clone(), workload.clone());
                        return None;
                    }
                    Err(error) => {
                        let message =
                            format!("Could not connect again: {}", error.explain().message);
                        if message != told {
                            self.chronicle.tell(What::Warning { message: message.clone() });
                            told = message;
                        }
                    }
                }
            }
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Reconnect) => wanted = true,
                    Some(Command::Stop) | None => return Some(End::Lapsed),
                },
                () = tokio::time::sleep(TRY_AGAIN), if by_itself => wanted = true,
            }
        }
    }

    /// A plan for the same request. Waits until the old session's lease is gone: its restorer may still be at work.
    async fn plan_again(&self) -> Result<Plan, SessionError> {
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
        // Whoever was to start the program, it runs by now, and has its ports.
        let request = Request { program: Program::StartedByUser, ..self.plan.request.clone() };
        let plan = Plan::make_for(&self.cluster, &request, self.plan.hosts.as_ref())
            .await
            .map_err(|error| SessionError::Replan(error.explain()))?;
        let blocker = plan.blockers().next().map(|check| check.message.clone());
        match blocker {
            Some(message) => Err(SessionError::Blocked(message)),
            None => Ok(plan),
        }
    }
}
