//! What has happened in a session, in order, and the state that it adds up to. Everybody who does something in a session writes here.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures::{Stream, stream};
use jiff::Timestamp;
use tokio::sync::watch;
use towline_wire::SessionId;
use towline_workload::WorkloadRef;

use super::traffic::Counters;
use crate::event::{End, Event, Listener, Phase, Snapshot, Step, Tunnel, What};

/// How many events are kept for those who ask late. Who asks for older ones gets a gap, sees it by the numbers, and asks for a snapshot.
const KEPT: usize = 10_000;

pub(crate) struct Chronicle {
    inner: Mutex<Inner>,
    latest: watch::Sender<u64>,
    pub(super) counters: Counters,
}

struct Inner {
    events: VecDeque<Event>,
    snapshot: Snapshot,
}

impl Chronicle {
    pub(crate) fn new(session: SessionId, workload: WorkloadRef) -> Self {
        let snapshot = Snapshot {
            seq: 0,
            session,
            workload,
            phase: Phase::Connecting { step: Step::Lease },
            since: Timestamp::now(),
            tunnels: Vec::new(),
            listeners: Vec::new(),
            inbound_open: 0,
            outbound_open: 0,
            connections: 0,
            bytes_in: 0,
            bytes_out: 0,
            env_file: None,
        };
        Self {
            inner: Mutex::new(Inner { events: VecDeque::new(), snapshot }),
            latest: watch::channel(0).0,
            counters: Counters::default(),
        }
    }

    /// Tells an event.
    pub(crate) fn tell(&self, what: What) {
        self.change(Some(what), |_| {});
    }

    /// Tells that `listener` has been opened.
    pub(crate) fn listener_opened(&self, listener: Listener) {
        let what = What::ServiceAdded {
            service: listener.full_name(),
            port: listener.port,
            protocol: listener.protocol,
            local: listener.local,
        };
        self.change(Some(what), |snapshot| {
            snapshot.listeners.push(listener);
            snapshot
                .listeners
                .sort_by(|a, b| (&a.namespace, &a.service).cmp(&(&b.namespace, &b.service)));
        });
    }

    /// Another session's id and workload, after a lapsed session was connected again.
    pub(crate) fn begin_again(&self, session: SessionId, workload: WorkloadRef) {
        self.change(None, |snapshot| {
            snapshot.session = session;
            snapshot.workload = workload;
            snapshot.tunnels.clear();
            enter(snapshot, Phase::Connecting { step: Step::Lease });
        });
    }

    pub(crate) fn round_trip(&self, pod: &str, time: Duration) {
        self.change(None, |snapshot| {
            if let Some(tunnel) = snapshot.tunnels.iter_mut().find(|tunnel| tunnel.pod == pod) {
                tunnel.round_trip_us = u64::try_from(time.as_micros()).ok();
            }
        });
    }

    /// Bytes of files came from the cluster: traffic too, and a sign of life while it holds up the pings.
    pub(crate) fn came(&self, bytes: u64) {
        self.counters.traffic.received.fetch_add(bytes, Relaxed);
    }

    /// The pod is gone for good.
    pub(crate) fn forget_pod(&self, pod: &str) {
        self.change(None, |snapshot| snapshot.tunnels.retain(|tunnel| tunnel.pod != pod));
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut snapshot = self.lock().snapshot.clone();
        snapshot.inbound_open = self.counters.inbound_open.load(Relaxed);
        snapshot.outbound_open = self.counters.outbound_open.load(Relaxed);
        snapshot.connections = self.counters.connections.load(Relaxed);
        snapshot.bytes_in = self.counters.traffic.received.load(Relaxed);
        snapshot.bytes_out = self.counters.traffic.sent.load(Relaxed);
        snapshot
    }

    fn change(&self, what: Option<What>, also: impl FnOnce(&mut Snapshot)) {
        let mut inner = self.lock();
        also(&mut inner.snapshot);
        let Some(what) = what else { return };
        apply(&mut inner.snapshot, &what);
        inner.snapshot.seq += 1;
        let event = Event { seq: inner.snapshot.seq, time: Timestamp::now(), what };
        tracing::debug!(seq = event.seq, what = ?event.what, "session");
        if inner.events.len() == KEPT {
            inner.events.pop_front();
        }
        inner.events.push_back(event);
        // Within the lock, so that the numbers only grow.
        self.latest.send_replace(inner.snapshot.seq);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Nothing that is done under the lock can panic half-way.
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The events from number `from` on that are still kept.
    fn since(&self, from: u64) -> Vec<Event> {
        let inner = self.lock();
        let first = inner.events.front().map_or(0, |event| event.seq);
        let skipped = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        inner.events.iter().skip(skipped).take(256).cloned().collect()
    }
}

/// The events from number `from` on, those of the past at once, those to come as they come; ends after [`What::Ended`].
pub(crate) fn events(
    chronicle: std::sync::Arc<Chronicle>,
    from: u64,
) -> impl Stream<Item = Event> + Send {
    let latest = chronicle.latest.subscribe();
    let state = (chronicle, latest, from, VecDeque::new(), false);
    stream::unfold(state, |(chronicle, mut latest, mut next, mut ready, over)| async move {
        if over {
            return None;
        }
        loop {
            let event: Option<Event> = ready.pop_front();
            if let Some(event) = event {
                next = event.seq + 1;
                let over = matches!(event.what, What::Ended { .. });
                return Some((event, (chronicle, latest, next, ready, over)));
            }
            ready.extend(chronicle.since(next));
            if ready.is_empty() {
                // The sender lives in the chronicle, which is held here.
                latest.wait_for(|latest| *latest >= next).await.ok()?;
            }
        }
    })
}

fn enter(snapshot: &mut Snapshot, phase: Phase) {
    if snapshot.phase != phase {
        snapshot.phase = phase;
        snapshot.since = Timestamp::now();
    }
}

/// What an event makes of the state.
fn apply(snapshot: &mut Snapshot, what: &What) {
    match what {
        What::Step { step } => {
            let stopping = matches!(step, Step::Restore | Step::Rollback | Step::Sweep);
            let phase = if stopping {
                Phase::Stopping { step: *step }
            } else {
                Phase::Connecting { step: *step }
            };
            enter(snapshot, phase);
        }
        What::TunnelUp { pod, .. } => {
            snapshot.tunnels.retain(|tunnel| tunnel.pod != *pod);
            snapshot.tunnels.push(Tunnel { pod: pod.clone(), up: true, round_trip_us: None });
            snapshot.tunnels.sort_by(|a, b| a.pod.cmp(&b.pod));
        }
        What::TunnelDown { pod, .. } => {
            if let Some(tunnel) = snapshot.tunnels.iter_mut().find(|tunnel| tunnel.pod == *pod) {
                tunnel.up = false;
                tunnel.round_trip_us = None;
            }
        }
        What::Connected { env_file, .. } => {
            snapshot.env_file = Some(env_file.clone());
            enter(snapshot, Phase::Connected);
        }
        What::Reconnecting { reason } => {
            enter(snapshot, Phase::Reconnecting { reason: reason.clone() })
        }
        What::Reconnected { .. } => enter(snapshot, Phase::Connected),
        What::ServiceRemoved { service, port, protocol } => {
            let is_it = |listener: &Listener| {
                (listener.port, listener.protocol) == (*port, *protocol)
                    && listener.full_name() == *service
            };
            snapshot.listeners.retain(|listener| !is_it(listener));
        }
        What::Lapsed => {
            snapshot.tunnels.clear();
            enter(snapshot, Phase::Lapsed);
        }
        What::Ended { end } => {
            snapshot.tunnels.clear();
            snapshot.listeners.clear();
            if !matches!(end, End::Failed { .. }) || snapshot.env_file.is_some() {
                snapshot.env_file = None;
            }
            enter(snapshot, Phase::Ended(end.clone()));
        }
        What::ServiceAdded { .. }
        | What::NamesChanged { .. }
        | What::LocalPortSilent { .. }
        | What::LocalPortAnswers { .. }
        | What::DialFailed { .. }
        | What::PortNotServed { .. }
        | What::TunnelResumed { .. }
        | What::VolumeRefreshed { .. }
        | What::VolumeFailed { .. }
        | What::Warning { .. }
        | What::Overwritten { .. }
        | What::TakenOver { .. }
        | What::Restored { .. } => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use futures::StreamExt;
    use towline_wire::Protocol;
    use towline_workload::Kind;

    use super::*;

    fn chronicle() -> Arc<Chronicle> {
        let workload =
            WorkloadRef { kind: Kind::Deployment, namespace: "shop".into(), name: "orders".into() };
        Arc::new(Chronicle::new(SessionId::generate(), workload))
    }

    fn warning(number: usize) -> What {
        What::Warning { message: number.to_string() }
    }

    #[tokio::test]
    async fn who_asks_late_gets_all_and_who_lags_loses_nothing() {
        let chronicle = chronicle();
        chronicle.tell(warning(1));
        let mut early = Box::pin(events(chronicle.clone(), 1));
        assert_eq!(early.next().await.unwrap().seq, 1);
        for number in 2..=3000 {
            chronicle.tell(warning(number));
        }
        chronicle.tell(What::Ended { end: End::Stopped });
        let rest: Vec<u64> = early.map(|event| event.seq).collect().await;
        assert_eq!(rest, (2..=3001).collect::<Vec<_>>());
        let late: Vec<u64> = events(chronicle, 2999).map(|event| event.seq).collect().await;
        assert_eq!(late, [2999, 3000, 3001]);
    }

    #[tokio::test]
    async fn the_history_is_bounded() {
        let chronicle = chronicle();
        for number in 0..KEPT + 5 {
            chronicle.tell(warning(number));
        }
        let first = Box::pin(events(chronicle.clone(), 1)).next().await.unwrap();
        assert_eq!(first.seq, 6);
        assert_eq!(chronicle.snapshot().seq, KEPT as u64 + 5);
    }

    #[test]
    fn a_snapshot_is_what_the_events_add_up_to() {
        let chronicle = chronicle();
        let local = "127.0.0.1:4000".parse().unwrap();
        chronicle.tell(What::Step { step: Step::Pods });
        assert_eq!(chronicle.snapshot().phase, Phase::Connecting { step: Step::Pods });
        chronicle.tell(What::TunnelUp { pod: "a".into(), release: "1".into() });
        chronicle.round_trip("a", Duration::from_millis(2));
        chronicle.listener_opened(Listener {
            namespace: "shop".into(),
            service: "redis".into(),
            port: 6379,
            protocol: Protocol::Tcp,
            port_name: None,
            local,
        });
        chronicle.tell(What::Connected { pods: vec!["a".into()], env_file: "/x".into() });
        chronicle.tell(What::Reconnecting { reason: "gone".into() });
        chronicle.tell(What::TunnelDown { pod: "a".into(), reason: "gone".into() });
        let snapshot = chronicle.snapshot();
        assert_eq!(snapshot.phase, Phase::Reconnecting { reason: "gone".into() });
        assert_eq!(snapshot.tunnels, [Tunnel { pod: "a".into(), up: false, round_trip_us: None }]);
        assert_eq!((snapshot.seq, snapshot.listeners.len()), (6, 1));
        chronicle.tell(What::ServiceRemoved {
            service: "redis.shop".into(),
            port: 6379,
            protocol: Protocol::Tcp,
        });
        chronicle.tell(What::Ended { end: End::Stopped });
        let snapshot = chronicle.snapshot();
        assert!(snapshot.listeners.is_empty() && snapshot.tunnels.is_empty());
        assert_eq!(snapshot.phase, Phase::Ended(End::Stopped));
    }
}
