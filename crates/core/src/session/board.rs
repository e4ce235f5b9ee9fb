//! The tunnels that stand, for whoever wants to open a stream.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::tunnel::Streams;

/// How long a new connection waits for a tunnel before it is refused.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A ping goes out every 5 s and is answered at once. Without an answer for this long something is wrong, long before the tunnel is given up.
pub(crate) const UNEASY: Duration = Duration::from_secs(7);

#[derive(Debug)]
pub(crate) struct Board {
    standing: watch::Sender<BTreeMap<String, Standing>>,
}

#[derive(Clone, Debug)]
struct Standing {
    streams: Streams,
    heard: Instant,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self { standing: watch::channel(BTreeMap::new()).0 }
    }

    pub(crate) fn up(&self, pod: &str, streams: Streams) {
        let standing = Standing { streams, heard: Instant::now() };
        self.standing.send_modify(|all| drop(all.insert(pod.to_owned(), standing)));
    }

    /// Returns whether it was up.
    pub(crate) fn down(&self, pod: &str) -> bool {
        self.standing.send_if_modified(|all| all.remove(pod).is_some())
    }

    /// The pod's agent has answered a ping.
    pub(crate) fn heard(&self, pod: &str) {
        self.standing.send_modify(|all| {
            if let Some(standing) = all.get_mut(pod) {
                standing.heard = Instant::now();
            }
        });
    }

    /// The pods whose tunnel stands.
    pub(crate) fn pods(&self) -> Vec<String> {
        self.standing.borrow().keys().cloned().collect()
    }

    /// Whether any tunnel stands.
    pub(crate) fn stands(&self) -> bool {
        !self.standing.borrow().is_empty()
    }

    /// Whether any tunnel stands whose agent has answered lately.
    pub(crate) fn hears_somebody(&self) -> bool {
        self.standing.borrow().values().any(|standing| standing.heard.elapsed() < UNEASY)
    }

    /// A tunnel whose pod stays the same from call to call, as long as it is there: that of `pod`, else of the first. `None` when there is none for
    /// [`PATIENCE`].
    pub(crate) async fn wait_for_pod(&self, pod: Option<&str>) -> Option<(String, Streams)> {
        let mut standing = self.standing.subscribe();
        let there = |all: &BTreeMap<String, Standing>| of_pod(all, pod).is_some();
        let found = tokio::time::timeout(PATIENCE, standing.wait_for(there)).await;
        found.ok()?.ok().and_then(|all| of_pod(&all, pod))
    }

    /// The tunnel that was heard last, waited for; `None` when there is none for [`PATIENCE`].
    pub(crate) async fn wait(&self) -> Option<Streams> {
        let mut standing = self.standing.subscribe();
        let found =
            tokio::time::timeout(PATIENCE, standing.wait_for(|all| best(all).is_some())).await;
        found.ok()?.ok().and_then(|all| best(&all))
    }
}

/// The pod's tunnel, if it stands; else that of the first pod whose does.
fn of_pod(all: &BTreeMap<String, Standing>, pod: Option<&str>) -> Option<(String, Streams)> {
    let open = |name: &String, standing: &Standing| {
        (!standing.streams.is_closed()).then(|| (name.clone(), standing.streams.clone()))
    };
    let wanted = pod.and_then(|pod| all.get_key_value(pod));
    wanted
        .and_then(|(name, standing)| open(name, standing))
        .or_else(|| all.iter().find_map(|(name, standing)| open(name, standing)))
}

fn best(all: &BTreeMap<String, Standing>) -> Option<Streams> {
    let open = all.values().filter(|standing| !standing.streams.is_closed());
    open.max_by_key(|standing| standing.heard).map(|standing| standing.streams.clone())
}
