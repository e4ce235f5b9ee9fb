//! What is known of each connection of a session. The lock is taken when one opens or ends and when somebody looks, never while bytes are carried.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use towline_wire::{Meter, Protocol, Traffic};

use super::traffic::Counters;

/// How many connections that have ended are remembered.
const KEPT: usize = 500;

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its number within the session, counting up from 1.
    pub id: u64,
    /// From where to where.
    pub route: ConnectionRoute,
    /// Who opened it: somebody in the cluster, or a program on this machine.
    pub peer: Option<SocketAddr>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When the far end took it; `None`: it has not yet, or never did.
    pub established: Option<Timestamp>,
    /// When it ended; `None`: it is open.
    pub closed: Option<Timestamp>,
    /// Bytes from the cluster to this machine.
    pub bytes_in: u64,
    /// Bytes from this machine to the cluster.
    pub bytes_out: u64,
    /// Why it failed or was cut off.
    pub error: Option<String>,
}

/// From where to where a connection goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "direction", rename_all = "snake_case")]
pub enum ConnectionRoute {
    /// From the cluster to the local program.
    Inbound {
        /// The pod that took it.
        pod: String,
        /// The container's port.
        remote: u16,
        /// What it speaks; a flow of datagrams counts as a connection.
        #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
        protocol: Protocol,
        /// The local port; `None`: the session has none for it.
        local: Option<u16>,
    },
    /// From this machine to a service.
    Outbound {
        /// The service's namespace.
        namespace: String,
        /// The service.
        service: String,
        /// Its port.
        port: u16,
        /// What it speaks.
        #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
        protocol: Protocol,
    },
}

/// How much a service's listener on this machine is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerUse {
    /// The service's namespace.
    pub namespace: String,
    /// The service.
    pub service: String,
    /// Its port.
    pub port: u16,
    /// What it speaks.
    #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
    pub protocol: Protocol,
    /// How many connections there were.
    pub connections: u64,
    /// When the last one was opened.
    pub last: Timestamp,
}

/// All connections that are open, and the last [`KEPT`] that are not.
#[derive(Debug, Default)]
pub(super) struct Connections {
    inner: Mutex<Inner>,
    /// Wakes whoever waits for what becomes of a connection.
    moved: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    open: BTreeMap<u64, Arc<Entry>>,
    closed: VecDeque<Connection>,
    uses: BTreeMap<Used, (u64, Timestamp)>,
}

/// Namespace, service, port.
type Used = (String, String, u16, Protocol);

#[derive(Debug)]
struct Entry {
    route: ConnectionRoute,
    peer: Option<SocketAddr>,
    opened: Timestamp,
    established: OnceLock<Timestamp>,
    error: OnceLock<String>,
    traffic: Traffic,
}

/// A connection for as long as it is open. Counts its bytes, for itself and for the session.
pub(super) struct Open<'a> {
    id: u64,
    entry: Arc<Entry>,
    counters: &'a Counters,
}

impl Connections {
    pub(super) fn open<'a>(
        &self,
        route: ConnectionRoute,
        peer: Option<SocketAddr>,
        counters: &'a Counters,
    ) -> Open<'a> {
        let opened = Timestamp::now();
        let (established, error) = (OnceLock::new(), OnceLock::new());
        let entry = Entry { route, peer, opened, established, error, traffic: Traffic::default() };
        let entry = Arc::new(entry);
        let mut inner = self.lock();
        inner.last += 1;
        let id = inner.last;
        if let ConnectionRoute::Outbound { namespace, service, port, protocol } = &entry.route {
            let (namespace, service) = (namespace.clone(), service.clone());
            let used = inner.uses.entry((namespace, service, *port, *protocol));
            let used = used.or_insert((0, opened));
            *used = (used.0 + 1, opened);
        }
        inner.open.insert(id, entry.clone());
        drop(inner);
        Open { id, entry, counters }
    }

    /// The newest first.
    pub(super) fn all(&self) -> Vec<Connection> {
        let inner = self.lock();
        let open = inner.open.iter().map(|(id, entry)| entry.as_of(*id, None));
        let mut all: Vec<Connection> = open.chain(inner.closed.iter().cloned()).collect();
        drop(inner);
        all.sort_by_key(|connection| std::cmp::Reverse(connection.id));
        all
    }

    pub(super) fn uses(&self) -> Vec<ListenerUse> {
        let use_of = |(listener, (connections, last)): (&Used, &(u64, Timestamp))| {
            let (namespace, service, port, protocol) = listener.clone();
            let (connections, last) = (*connections, *last);
            ListenerUse { namespace, service, port, protocol, connections, last }
        };
        self.lock().uses.iter().map(use_of).collect()
    }

    /// The number that the last connection got.
    pub(super) fn last(&self) -> u64 {
        self.lock().last
    }

    /// Waits until the connection from `peer` with a number above `after` stands at its far end, or has ended.
    pub(super) async fn settled(&self, peer: SocketAddr, after: u64) -> Connection {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            // Registered before looking, so that nothing is missed in between.
            moved.as_mut().enable();
            let found = self.all().into_iter().find(|connection| {
                connection.id > after
                    && connection.peer == Some(peer)
                    && (connection.established.is_some() || connection.closed.is_some())
            });
            if let Some(found) = found {
                return found;
            }
            moved.await;
        }
    }

    fn end(&self, id: u64, entry: &Entry) {
        let mut inner = self.lock();
        inner.open.remove(&id);
        if inner.closed.len() == KEPT {
            inner.closed.pop_front();
        }
        inner.closed.push_back(entry.as_of(id, Some(Timestamp::now())));
        drop(inner);
        self.moved.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that is done under the lock can panic half-way.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn as_of(&self, id: u64, closed: Option<Timestamp>) -> Connection {
        Connection {
            id,
            route: self.route.clone(),
            peer: self.peer,
            opened: self.opened,
            established: self.established.get().copied(),
            closed,
            bytes_in: self.traffic.received.load(Relaxed),
            bytes_out: self.traffic.sent.load(Relaxed),
            error: self.error.get().cloned(),
        }
    }
}

impl Open<'_> {
    /// The far end took it.
    pub(super) fn established(&self) {
        let _ = self.entry.established.set(Timestamp::now());
        self.counters.list.moved.notify_waiters();
    }

    /// It did not come about, or was cut off. The first reason stays.
    pub(super) fn failed(&self, reason: &str) {
        let _ = self.entry.error.set(reason.to_owned());
    }
}

impl Meter for Open<'_> {
    fn sent(&self, bytes: u64) {
        self.entry.traffic.sent.fetch_add(bytes, Relaxed);
        self.counters.traffic.sent(bytes);
    }

    fn received(&self, bytes: u64) {
        self.entry.traffic.received.fetch_add(bytes, Relaxed);
        self.counters.traffic.received(bytes);
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.counters.ended(&self.entry.route);
        self.counters.list.end(self.id, &self.entry);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn to(service: &str) -> ConnectionRoute {
        let (namespace, service) = ("shop".to_owned(), service.to_owned());
        ConnectionRoute::Outbound { namespace, service, port: 80, protocol: Protocol::Tcp }
    }

    #[test]
    fn open_ones_stay_and_of_ended_ones_the_last() {
        let counters = Counters::default();
        let first = counters.open(to("first"), None);
        first.sent(3);
        for _ in 0..KEPT + 7 {
            counters.open(to("many"), None).failed("no");
        }
        let all = counters.list.all();
        assert_eq!(all.len(), KEPT + 1);
        assert_eq!(all[0].id, KEPT as u64 + 8);
        assert_eq!((all[0].error.as_deref(), all[0].closed.is_some()), (Some("no"), true));
        let oldest = all.last().unwrap();
        assert_eq!((oldest.id, oldest.bytes_out, oldest.closed), (1, 3, None));
        assert_eq!(counters.outbound_open.load(Relaxed), 1);
        assert_eq!(counters.traffic.sent.load(Relaxed), 3);
        let uses = counters.list.uses();
        let many = uses.iter().find(|used| used.service == "many").unwrap();
        assert_eq!(many.connections, KEPT as u64 + 7);
        drop(first);
        assert_eq!(counters.list.all().len(), KEPT);
    }

    #[tokio::test]
    async fn what_becomes_of_a_connection_can_be_awaited() {
        let counters = Arc::new(Counters::default());
        let peer: SocketAddr = "127.0.0.1:4000".parse().unwrap();
        drop(counters.open(to("before"), Some(peer)));
        let after = counters.list.last();
        let (waiting, waited) = (counters.clone(), counters.clone());
        let settled = tokio::spawn(async move { waiting.list.settled(peer, after).await });
        tokio::task::yield_now().await;
        let refused = waited.open(to("refused"), Some(peer));
        refused.failed("nobody there");
        drop(refused);
        let found = settled.await.unwrap();
        assert_eq!(found.error.as_deref(), Some("nobody there"));
        let taken = counters.open(to("taken"), Some(peer));
        taken.established();
        let found = counters.list.settled(peer, found.id).await;
        assert!(found.established.is_some() && found.closed.is_none());
    }
}
