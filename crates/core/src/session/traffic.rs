//! Counters of a session's connections.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use towline_wire::Traffic;

#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Sent: from this machine to the cluster, whichever side connected.
    pub(super) traffic: Traffic,
    pub(super) inbound_open: AtomicU64,
    pub(super) outbound_open: AtomicU64,
    pub(super) connections: AtomicU64,
}

/// Counts one connection as open for as long as it lives.
pub(super) struct Open<'a>(&'a AtomicU64);

impl Counters {
    pub(super) fn inbound(&self) -> Open<'_> {
        self.open(&self.inbound_open)
    }

    pub(super) fn outbound(&self) -> Open<'_> {
        self.open(&self.outbound_open)
    }

    fn open<'a>(&'a self, counter: &'a AtomicU64) -> Open<'a> {
        self.connections.fetch_add(1, Relaxed);
        counter.fetch_add(1, Relaxed);
        Open(counter)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
