//! What the events of a session add up to, besides the core's own snapshot.

use std::collections::VecDeque;

use jiff::Timestamp;
use towline_core::event::{End, Event, Phase, Snapshot, Step, What};

use super::figures::History;
use super::words;
use crate::view::{
    self, Figures, Protocol, SessionEvent, SessionPhase, SilentPort, StepTime, Tone,
};

/// How many events are kept.
const KEPT: usize = 10_000;

/// See the module.
pub(super) struct Course {
    workload: String,
    pub(super) steps: Vec<StepTime>,
    pub(super) silent: Vec<SilentPort>,
    pub(super) figures: Figures,
    history: History,
    events: VecDeque<SessionEvent>,
    count: u64,
    /// Since when the user wants it to end.
    stopping: Option<i64>,
    /// Whether it was ever connected.
    pub(super) connected: bool,
    /// Whether it is on its way in, for the first time or once more.
    arriving: bool,
    /// Whether the last event was taken in. The core's snapshot may be ahead of the events.
    over: bool,
    /// Fields that somebody else had changed, and that were left so.
    kept: Vec<String>,
    /// What has become of the workload so far.
    workload_is: WorkloadIs,
    /// Who has changed the workload or taken it over, in words.
    rival: Option<String>,
}

/// What has become of the workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkloadIs {
    /// Nothing has been written to it.
    Untouched,
    /// It has the agent, or may have it.
    Changed,
    /// It is what it was.
    PutBack,
}

impl Course {
    pub(super) fn new(workload: String) -> Self {
        Self {
            workload,
            steps: Vec::new(),
            silent: Vec::new(),
            figures: Figures::default(),
            history: History::default(),
            events: VecDeque::new(),
            count: 0,
            stopping: None,
            connected: false,
            arriving: true,
            over: false,
            kept: Vec::new(),
            workload_is: WorkloadIs::Untouched,
            rival: None,
        }
    }

    /// Takes an event of the core in.
    pub(super) fn take(&mut self, event: &Event) {
        let time = event.time.as_millisecond();
        match &event.what {
            What::Step { step } => {
                // Putting back what was not finished, and nobody asked for that: the step before is where it broke off.
                let broken = self.arriving && self.stopping.is_none() && *step == Step::Restore;
                self.end_step(time, broken);
                self.arriving &= *step != Step::Restore;
                // Names are made ready before the lease is taken, where they are wanted.
                let after_names =
                    self.steps.last().is_some_and(|last| last.step == words::step(Step::Names));
                if *step == Step::Names || (*step == Step::Lease && !after_names) {
                    self.arriving = true;
                    self.steps.clear();
                    self.workload_is = WorkloadIs::Untouched;
                }
                if *step == Step::Patch {
                    self.workload_is = WorkloadIs::Changed;
                }
                let step = words::step(*step).to_owned();
                self.steps.push(StepTime { step, began: time, took: None, failed: false });
            }
            What::Connected { .. } => {
                self.connected = true;
                self.arriving = false;
                self.end_step(time, false);
            }
            What::Lapsed => self.end_step(time, false),
            What::Ended { end } => {
                self.over = true;
                self.end_step(time, matches!(end, End::Failed { .. }));
            }
            What::LocalPortSilent { remote, protocol, local, reason } => {
                let (remote, protocol) = (*remote, (*protocol).into());
                self.answers(remote, protocol);
                let (local, reason) = (*local, reason.clone());
                self.silent.push(SilentPort { remote, protocol, local, reason });
            }
            What::LocalPortAnswers { remote, protocol, .. } => {
                self.answers(*remote, (*protocol).into());
            }
            What::Overwritten { by, .. } => {
                self.rival = Some(by.clone().unwrap_or_else(|| "somebody".to_owned()));
            }
            What::TakenOver { by } => {
                let who = by.as_ref().map(|by| format!("{} on {}", by.user, by.host));
                self.rival = Some(who.unwrap_or_else(|| "somebody".to_owned()));
            }
            What::Restored { kept } => {
                self.kept.clone_from(kept);
                if self.workload_is == WorkloadIs::Changed {
                    self.workload_is = WorkloadIs::PutBack;
                }
            }
            _ => {}
        }
        let (tone, title, detail) = words::event(&event.what);
        self.tell(time, tone, title, detail);
    }

    fn answers(&mut self, remote: u16, protocol: Protocol) {
        self.silent.retain(|port| (port.remote, port.protocol) != (remote, protocol));
    }

    /// Adds an event of this application's.
    pub(super) fn tell(&mut self, time: i64, tone: Tone, title: &str, detail: String) {
        self.count += 1;
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        let title = title.to_owned();
        self.events.push_back(SessionEvent { seq: self.count, time, tone, title, detail });
    }

    /// Takes the figures of this second. Says whether anything that is shown has changed.
    pub(super) fn sample(&mut self, snapshot: &Snapshot) -> bool {
        let per_second = self.history.sample(snapshot.bytes_in + snapshot.bytes_out);
        let figures = Figures {
            inbound_open: u32::try_from(snapshot.inbound_open).unwrap_or(u32::MAX),
            outbound_open: u32::try_from(snapshot.outbound_open).unwrap_or(u32::MAX),
            connections: snapshot.connections,
            bytes_in: snapshot.bytes_in,
            bytes_out: snapshot.bytes_out,
            per_second,
        };
        let changed = figures != self.figures;
        self.figures = figures;
        changed
    }

    pub(super) fn events(&self, from: u64, limit: u32) -> Vec<SessionEvent> {
        let first = self.events.front().map_or(1, |event| event.seq);
        let skip = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        self.events.iter().skip(skip).take(limit as usize).cloned().collect()
    }

    pub(super) fn event_count(&self) -> u64 {
        self.count
    }

    pub(super) fn stop_wanted(&mut self, now: Timestamp) {
        self.stopping.get_or_insert(now.as_millisecond());
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// The state, and since when.
    pub(super) fn phase(&self, snapshot: &Snapshot) -> (SessionPhase, i64) {
        let since = snapshot.since.as_millisecond();
        let phase = match &snapshot.phase {
            Phase::Ended(end) if self.over => self.ended(end),
            Phase::Ended(_) => SessionPhase::Stopping { step: words::step(Step::Sweep).to_owned() },
            Phase::Stopping { step } => {
                SessionPhase::Stopping { step: words::step(*step).to_owned() }
            }
            _ if self.stopping.is_some() => {
                let step = "program".to_owned();
                return (SessionPhase::Stopping { step }, self.stopping.unwrap_or(since));
            }
            Phase::Connecting { step } => {
                SessionPhase::Connecting { step: words::step(*step).to_owned() }
            }
            Phase::Connected => SessionPhase::Connected,
            Phase::Reconnecting { reason } => SessionPhase::Reconnecting { reason: reason.clone() },
            Phase::Lapsed => SessionPhase::Lapsed,
        };
        (phase, since)
    }

    fn ended(&self, end: &End) -> SessionPhase {
        let (how, tone, mut message) =
            words::ending(end, &self.workload, &self.kept, self.rival.as_deref());
        let report = match end {
            End::Failed { error } => Some(view::Report::from(error.clone())),
            _ => None,
        };
        // The report says why; the sentence says what it means for the workload.
        if report.is_some() {
            message = words::failed(&self.workload, self.workload_is);
        }
        SessionPhase::Ended { how, tone, message, report }
    }

    fn end_step(&mut self, time: i64, failed: bool) {
        if let Some(step) = self.steps.last_mut().filter(|step| step.took.is_none()) {
            step.took = Some((time - step.began).max(0));
            step.failed = failed;
        }
    }
}

#[cfg(test)]
mod tests;
