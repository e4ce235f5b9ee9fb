//! Waiting for the agent to be in every pod that it is to be in.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior};
use towline_workload::Kind;

use super::Signal;
use super::actor::{Actor, Leaving, Live};
use super::agents::session_of;
use super::cause::{self, Cause};
use super::error::SessionError;
use super::rollout::{Progress, progress};
use super::suspicion::{Suspicion, Warnings};

/// How often the events are asked while pods do not come.
const ASK_EVENTS: Duration = Duration::from_secs(2);

/// Where a pod only comes when the one before it is gone, its time begins then; but no later than this. Pods may take their grace period.
const HELD_UP: Duration = Duration::from_secs(180);

impl Actor {
    /// Waits until every replica has its tunnel and no old pod is left, or says why that does not happen.
    pub(super) async fn await_pods(
        &mut self,
        live: &mut Live,
        mut warnings: Warnings,
    ) -> Result<(), Leaving> {
        let (began, limit) = (Instant::now(), self.plan.request.timeout);
        let mut deadline = began + limit;
        let mut ask = tokio::time::interval_at(began + ASK_EVENTS, ASK_EVENTS);
        ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut suspicion = Suspicion::default();
        let mut seen_pods = false;
        loop {
            tokio::select! {
                () = Self::stopped(&mut self.commands) => return Err(Leaving::Stopped),
                Some(signal) = live.signals.recv() => {
                    match &signal {
                        Signal::Refused { pod, reason } => {
                            let (pod, reason) = (pod.clone(), reason.clone());
                            return Err(SessionError::AgentVersion { pod, reason }.into());
                        }
                        Signal::NoTunnel { pod, reason, forbidden: true } => {
                            let (pod, reason) = (pod.clone(), reason.clone());
                            return Err(SessionError::Tunnel { pod, reason }.into());
                        }
                        Signal::Pods(pods) => {
                            seen_pods = true;
                            suspicion.note_status(self.complaint_of(pods), Instant::now());
                        }
                        _ => {}
                    }
                    self.take(live, signal);
                }
                _ = ask.tick() => {
                    for cause in warnings.fresh().await {
                        suspicion.note_event(cause, Instant::now());
                    }
                }
                () = tokio::time::sleep_until(deadline) => {
                    return Err(self.too_late(&self.progress(live), suspicion.likeliest()).into());
                }
            }
            if live.doubt
                && let Some(leaving) = self.settle(live).await
            {
                return Err(leaving);
            }
            let progress = self.progress(live);
            if seen_pods && progress.is_complete() {
                return Ok(());
            }
            if progress.is_held_up() {
                deadline = deadline.max((Instant::now() + limit).min(began + limit + HELD_UP));
            }
            if let Some(cause) = suspicion.hopeless(Instant::now()) {
                return Err(self.not_started(cause).into());
            }
        }
    }

    fn progress(&self, live: &Live) -> Progress {
        let (kind, session) = (self.plan.workload.kind, self.plan.session.as_str());
        progress(kind, &live.workload, &live.pods, session, &self.board.pods())
    }

    /// What the agent's pods have to complain of.
    fn complaint_of(&self, pods: &[Value]) -> Option<Cause> {
        let ours = pods.iter().filter(|pod| session_of(pod) == Some(self.plan.session.as_str()));
        let causes =
            ours.filter_map(|pod| cause::of_pod(&serde_json::from_value(pod.clone()).ok()?));
        causes.max_by_key(|cause| cause.patience)
    }

    /// The objects whose events may tell why no pod comes: the pods, the workload, and a Deployment's replica sets.
    pub(super) fn about(&self) -> Vec<(&'static str, String)> {
        let kind = match self.plan.workload.kind {
            Kind::Deployment => "Deployment",
            Kind::StatefulSet => "StatefulSet",
            Kind::DaemonSet => "DaemonSet",
            Kind::ReplicaSet => "ReplicaSet",
            Kind::Pod => "Pod",
        };
        let name = &self.plan.workload.name;
        vec![("Pod", name.clone()), ("ReplicaSet", name.clone()), (kind, name.clone())]
    }

    fn not_started(&self, cause: &Cause) -> SessionError {
        let whose = format!("The agent in {}", self.plan.workload);
        SessionError::NotStarted { whose, hint: cause.hint(), cause: cause.message.clone() }
    }

    fn too_late(&self, progress: &Progress, cause: Option<&Cause>) -> SessionError {
        let pods =
            |count: usize| if count == 1 { "1 pod".to_owned() } else { format!("{count} pods") };
        let cause = match (cause, progress) {
            (Some(cause), _) => cause.message.clone(),
            (None, progress) if progress.is_held_up() => {
                format!("{} of before did not end", pods(progress.leaving))
            }
            (None, Progress { old: 1.., .. }) => {
                format!("{} without the agent stayed in service", pods(progress.old))
            }
            (None, _) => cause::slow().message,
        };
        SessionError::TimedOut {
            workload: self.plan.workload.clone(),
            up: progress.up.len(),
            wanted: progress.wanted,
            limit: self.plan.request.timeout,
            cause,
        }
    }
}
