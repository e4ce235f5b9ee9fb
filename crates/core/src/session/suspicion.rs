//! When to stop waiting for a pod: complaints are noted as they come, and held against it when they stay.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;
use tokio::time::Instant;

use super::cause::{self, Cause, Patience};

/// After this time a complaint that may have been a hiccup counts as one that stays.
const HICCUP: Duration = Duration::from_secs(10);

/// A request for events that takes longer tells nothing.
const ASK: Duration = Duration::from_secs(5);

/// What is said against a pod that does not come: by its status, and by events.
#[derive(Default)]
pub(super) struct Suspicion {
    status: Option<Complaint>,
    events: Option<Complaint>,
}

#[derive(Debug)]
struct Complaint {
    cause: Cause,
    first: Instant,
    last: Instant,
}

impl Suspicion {
    /// What the pods' status says now; `None`: nothing any more.
    pub(super) fn note_status(&mut self, cause: Option<Cause>, now: Instant) {
        match cause {
            Some(cause) => note(&mut self.status, cause, now),
            None => self.status = None,
        }
    }

    /// What a new event says.
    pub(super) fn note_event(&mut self, cause: Cause, now: Instant) {
        note(&mut self.events, cause, now);
    }

    /// The cause for which waiting on is of no use.
    pub(super) fn hopeless(&self, now: Instant) -> Option<&Cause> {
        // A status says what is; an event what was, so only its repetition says that it still is.
        let status = self.status.as_ref().map(|complaint| (complaint, now - complaint.first));
        let events =
            self.events.as_ref().map(|complaint| (complaint, complaint.last - complaint.first));
        let stays = |(complaint, since): &(&Complaint, Duration)| match complaint.cause.patience {
            Patience::Whole => false,
            Patience::Short => *since >= HICCUP,
            Patience::None => true,
        };
        [status, events].into_iter().flatten().find(stays).map(|(complaint, _)| &complaint.cause)
    }

    /// The likeliest cause, once the time is over.
    pub(super) fn likeliest(&self) -> Option<&Cause> {
        let all = [&self.events, &self.status].into_iter().flatten();
        all.map(|complaint| &complaint.cause).max_by_key(|cause| cause.patience)
    }
}

fn note(slot: &mut Option<Complaint>, cause: Cause, now: Instant) {
    match slot {
        Some(complaint) if complaint.cause.kind == cause.kind => {
            complaint.last = now;
            // The first words of a failed pull say why; later ones only that it is not tried again yet.
            if cause.says_more_than(&complaint.cause) {
                complaint.cause = cause;
            }
        }
        _ => *slot = Some(Complaint { cause, first: now, last: now }),
    }
}

/// Warnings about some objects that have come, or come again, since it was made. No clock is compared: theirs and ours may differ.
pub(super) struct Warnings {
    api: Api<Event>,
    /// The kinds of the objects, and how their names begin.
    about: Vec<(&'static str, String)>,
    /// How often each event has been counted, by uid.
    counted: BTreeMap<String, i32>,
}

impl Warnings {
    pub(super) async fn from_now(
        client: kube::Client,
        namespace: &str,
        about: Vec<(&'static str, String)>,
    ) -> Self {
        let mut warnings =
            Self { api: Api::namespaced(client, namespace), about, counted: BTreeMap::new() };
        warnings.fresh().await;
        warnings
    }

    /// What has been said since the last call. Events need not be readable: then nothing is.
    pub(super) async fn fresh(&mut self) -> Vec<Cause> {
        let selected = ListParams::default().fields("type=Warning");
        let Ok(Ok(list)) = tokio::time::timeout(ASK, self.api.list(&selected)).await else {
            return Vec::new();
        };
        let mut causes = Vec::new();
        for event in list.items.iter().filter(|event| concerns(event, &self.about)) {
            let uid = event.metadata.uid.clone().unwrap_or_default();
            let count =
                event.count.or(event.series.as_ref().and_then(|series| series.count)).unwrap_or(1);
            if self.counted.insert(uid, count).is_none_or(|before| before < count) {
                causes.extend(cause::of_event(event));
            }
        }
        causes
    }
}

fn concerns(event: &Event, about: &[(&str, String)]) -> bool {
    let object = &event.involved_object;
    let name = object.name.as_deref().unwrap_or_default();
    about.iter().any(|(kind, start)| {
        object.kind.as_deref() == Some(*kind) && name.starts_with(start.as_str())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::session::cause::CauseKind;

    fn cause(kind: CauseKind, patience: Patience) -> Cause {
        Cause { message: "no".into(), patience, kind }
    }

    #[tokio::test(start_paused = true)]
    async fn a_status_that_stays_is_held_against_the_pod_and_one_that_passes_is_not() {
        let (mut suspicion, start) = (Suspicion::default(), Instant::now());
        let pull = || Some(cause(CauseKind::Image, Patience::Short));
        suspicion.note_status(pull(), start);
        assert_eq!(suspicion.hopeless(start + HICCUP / 2), None);
        assert!(suspicion.hopeless(start + HICCUP).is_some());
        suspicion.note_status(None, start);
        suspicion.note_status(pull(), start + HICCUP);
        assert_eq!(suspicion.hopeless(start + HICCUP), None);
    }

    #[tokio::test(start_paused = true)]
    async fn one_event_is_a_hiccup_and_its_repetition_is_not() {
        let (mut suspicion, start) = (Suspicion::default(), Instant::now());
        let refused = || cause(CauseKind::Refused, Patience::Short);
        suspicion.note_event(refused(), start);
        assert_eq!(suspicion.hopeless(start + HICCUP * 5), None);
        assert!(suspicion.likeliest().is_some());
        suspicion.note_event(refused(), start + HICCUP);
        assert!(suspicion.hopeless(start + HICCUP).is_some());
    }

    #[test]
    fn an_event_concerns_what_the_workload_makes() {
        let event = serde_json::json!({"metadata": {}, "involvedObject": {"kind": "ReplicaSet", "name": "orders-abc"}});
        let event: Event = serde_json::from_value(event).unwrap();
        assert!(concerns(&event, &[("ReplicaSet", "orders".into())]));
        assert!(!concerns(&event, &[("Pod", "orders".into())]));
    }

    #[tokio::test(start_paused = true)]
    async fn some_things_never_pass_and_some_always_may() {
        let now = Instant::now();
        let mut suspicion = Suspicion::default();
        suspicion.note_status(Some(cause(CauseKind::Scheduling, Patience::Whole)), now);
        assert_eq!(suspicion.hopeless(now + HICCUP * 100), None);
        suspicion.note_status(Some(cause(CauseKind::Crash, Patience::None)), now);
        assert!(suspicion.hopeless(now).is_some());
    }
}
