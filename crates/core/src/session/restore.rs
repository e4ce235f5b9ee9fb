//! The way out: puts the workload back, and leaves nothing behind.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;
use towline_workload::{Progress, PutBack, PutBackError, Restored, Sweeper, put_back, sweep};

use super::actor::{Actor, Leaving, Live};
use super::error::SessionError;
use crate::backoff::Backoff;
use crate::event::{End, Step, What};
use crate::report::Explain;

/// How long an unreachable cluster is tried before the workload is left to the restorer.
const KEEP_TRYING: Duration = Duration::from_secs(30);

/// How long the workload's own pods may take to be in service again. It is restored by then; only the waiting ends.
const IN_SERVICE: Duration = Duration::from_secs(180);

/// The same where somebody has deployed: whether theirs comes into service is their concern.
const THEIRS_IN_SERVICE: Duration = Duration::from_secs(60);

/// A failed try counts as trying for no longer than this: most of it may have been a wait that went well.
const ONE_TRY: Duration = Duration::from_secs(15);

/// How long what is left of a session that was taken over may take to go.
const SWEEP: Duration = Duration::from_secs(20);

impl Actor {
    /// Ends the session in the cluster. `live` goes on meanwhile: the lease is renewed, and what still comes from the cluster is answered.
    pub(super) async fn leave(&mut self, leaving: Leaving, mut live: Live) -> End {
        // Nobody decides by them any more, but a full queue would hold up who renews the lease.
        let mut signals = std::mem::replace(&mut live.signals, mpsc::channel(1).1);
        live.spawn(async move { while signals.recv().await.is_some() {} });
        match &leaving {
            Leaving::Overwritten { by, fields } => {
                self.chronicle.tell(What::Overwritten { by: by.clone(), fields: fields.clone() });
            }
            Leaving::TakenOver { by } => self.chronicle.tell(What::TakenOver { by: by.clone() }),
            _ => {}
        }
        let put_back = match &leaving {
            _ if !self.touched => Ok(()),
            Leaving::TakenOver { .. } => {
                self.sweep_own().await;
                Ok(())
            }
            Leaving::Overwritten { .. } => self.put_back(THEIRS_IN_SERVICE).await,
            _ => self.put_back(IN_SERVICE).await,
        };
        drop(live);
        if put_back.is_ok() {
            self.remove_journal();
        }
        match (leaving, put_back) {
            (Leaving::Failed(error), Ok(())) => End::Failed { error: error.explain() },
            (Leaving::Failed(first), Err(second)) => {
                let mut error = second.explain();
                error.message = format!("{} (before that: {first})", error.message);
                End::Failed { error }
            }
            (_, Err(error)) => End::Failed { error: error.explain() },
            (Leaving::Stopped, Ok(())) => End::Stopped,
            (Leaving::Overwritten { .. }, Ok(())) => End::Overwritten,
            (Leaving::TakenOver { .. }, Ok(())) => End::TakenOver,
            (Leaving::Lapsed, Ok(())) => End::Lapsed,
            (Leaving::Deleted, Ok(())) => End::Deleted,
        }
    }

    async fn put_back(&self, in_service: Duration) -> Result<(), SessionError> {
        self.chronicle.tell(What::Step { step: Step::Restore });
        let mut unreachable_since: Option<Instant> = None;
        let mut backoff = Backoff::new();
        loop {
            let began = Instant::now();
            let error = match self.try_put_back(in_service).await {
                Ok(done) => {
                    self.tell_put_back(done);
                    return Ok(());
                }
                Err(error) => error,
            };
            let first = unreachable_since.is_none();
            let since = *unreachable_since.get_or_insert_with(|| {
                let now = Instant::now();
                now - (now - began).min(ONE_TRY)
            });
            if !error.is_transient() || since.elapsed() >= KEEP_TRYING {
                return Err(self.not_put_back(error));
            }
            if first {
                let message = format!(
                    "The workload cannot be put back yet ({error}); trying on for {} s",
                    KEEP_TRYING.as_secs()
                );
                self.chronicle.tell(What::Warning { message });
            }
            backoff.wait().await;
        }
    }

    async fn try_put_back(&self, in_service: Duration) -> Result<PutBack, PutBackError> {
        let mut told = Step::Restore;
        let mut step = |step| {
            if step != told {
                told = step;
                self.chronicle.tell(What::Step { step });
            }
        };
        let mut progress = |progress: Progress| match progress {
            Progress::Written { .. }
            | Progress::PodReplaced { .. }
            | Progress::AgentsLeft { .. }
            | Progress::Ready { .. } => {
                step(Step::Rollback);
            }
            Progress::Sweeping => step(Step::Sweep),
        };
        let deadline = Instant::now() + in_service;
        let (client, workload) = (self.cluster.client(), &self.plan.workload);
        put_back(
            &client,
            workload,
            self.plan.session.as_str(),
            Sweeper::Client,
            deadline,
            &mut progress,
        )
        .await
    }

    fn tell_put_back(&self, done: PutBack) {
        if let Some(error) = done.not_in_service {
            self.chronicle.tell(What::Warning { message: error.to_string() });
        }
        for left in done.swept.left {
            let message = format!(
                "{} is left in namespace {}: {}",
                left.what, self.plan.workload.namespace, left.why
            );
            self.chronicle.tell(What::Warning { message });
        }
        match done.restored {
            Restored::Restored { kept_from_others, .. } => {
                self.chronicle.tell(What::Restored { kept: kept_from_others })
            }
            Restored::NothingToDo => self.chronicle.tell(What::Restored { kept: Vec::new() }),
            Restored::WorkloadGone | Restored::TakenOver { .. } => {}
        }
    }

    fn not_put_back(&self, error: PutBackError) -> SessionError {
        SessionError::PutBack {
            workload: self.plan.workload.clone(),
            lease: self.plan.request.lease,
            since: Timestamp::now(),
            restorer: self.plan.restorer,
            source: Box::new(error),
        }
    }

    /// What this session has made goes; the workload is the other session's.
    async fn sweep_own(&self) {
        let (client, workload, session) =
            (self.cluster.client(), &self.plan.workload, self.plan.session.as_str());
        let swept =
            sweep(&client, workload, session, Sweeper::Client, Instant::now() + SWEEP).await;
        if let Err(error) = swept {
            self.chronicle.tell(What::Warning { message: error.to_string() });
        }
    }
}
