//! The tunnels that stand, for whoever wants to open a stream.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::tunnel::Streams;

/// How long a new connection waits for a tunnel before it is refused.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A ping goes out every 5 s and is answered at once. Without an answer for this long something is wrong, long before the tunnel is given up.
pub(super) const UNEASY: Duration = Duration::from_secs(7);

#[derive(Debug)]
pub(super) struct Board {
    standing: watch::Sender<BTreeMap<String, Standing>>,
}

#[derive(Clone, Debug)]
struct Standing {
    streams: Streams,
    heard: Instant,
}

impl Board {
    pub(super) fn new() -> Self {
        Self { standing: watch::channel(BTreeMap::new()).0 }
    }

    pub(super) fn up(&self, pod: &str, streams: Streams) {
        let standing = Standing { streams, heard: Instant::now() };
        self.standing.send_modify(|all| drop(all.insert(pod.to_owned(), standing)));
    }

    /// Returns whether it was up.
    pub(super) fn down(&self, pod: &str) -> bool {
        self.standing.send_if_modified(|all| all.remove(pod).is_some())
    }

    /// The pod's agent has answered a ping.
    pub(super) fn heard(&self, pod: &str) {
        self.standing.send_modify(|all| {
            if let Some(standing) = all.get_mut(pod) {
                standing.heard = Instant::now();
            }
        });
    }

    /// The pods whose tunnel stands.
    pub(super) fn pods(&self) -> Vec<String> {
        self.standing.borrow().keys().cloned().collect()
    }

    /// Whether any tunnel stands.
    pub(super) fn stands(&self) -> bool {
        !self.standing.borrow().is_empty()
    }

    /// Whether any tunnel stands whose agent has answered lately.
    pub(super) fn hears_somebody(&self) -> bool {
        self.standing.borrow().values().any(|standing| standing.heard.elapsed() < UNEASY)
    }

    /// The tunnel that was heard last, waited for; `None` when there is none for [`PATIENCE`].
    pub(super) async fn wait(&self) -> Option<Streams> {
        let mut standing = self.standing.subscribe();
        let found =
            tokio::time::timeout(PATIENCE, standing.wait_for(|all| best(all).is_some())).await;
        found.ok()?.ok().and_then(|all| best(&all))
    }
}

fn best(all: &BTreeMap<String, Standing>) -> Option<Streams> {
    let open = all.values().filter(|standing| !standing.streams.is_closed());
    open.max_by_key(|standing| standing.heard).map(|standing| standing.streams.clone())
}
