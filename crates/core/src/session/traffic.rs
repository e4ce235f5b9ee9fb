//! Counters of a session's connections.

use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use towline_wire::Traffic;

use super::connections::{ConnectionRoute, Connections, Open};

#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Sent: from this machine to the cluster, whichever side connected.
    pub(super) traffic: Traffic,
    pub(super) inbound_open: AtomicU64,
    pub(super) outbound_open: AtomicU64,
    pub(super) connections: AtomicU64,
    /// Each of them.
    pub(super) list: Connections,
}

impl Counters {
    /// Counts one connection as open until what this gives is dropped.
    pub(super) fn open(&self, route: ConnectionRoute, peer: Option<SocketAddr>) -> Open<'_> {
        self.connections.fetch_add(1, Relaxed);
        self.open_of(&route).fetch_add(1, Relaxed);
        self.list.open(route, peer, self)
    }

    pub(super) fn ended(&self, route: &ConnectionRoute) {
        self.open_of(route).fetch_sub(1, Relaxed);
    }

    fn open_of(&self, route: &ConnectionRoute) -> &AtomicU64 {
        match route {
            ConnectionRoute::Inbound { .. } => &self.inbound_open,
            ConnectionRoute::Outbound { .. } => &self.outbound_open,
        }
    }
}
