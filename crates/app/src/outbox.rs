//! What goes to the window without being asked for: changes, gathered into frames.
//!
//! A thing that changes a thousand times between two frames is told once, in its newest state; so a window that is slow gets fewer frames and
//! never a queue. Notices and requests are no states: they are kept in their order, the newest [`QUEUED`] of them.

mod key;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use self::key::Key;
use crate::publish::Publish;
use crate::view::{App, Change, Frame};

/// The shortest time between two frames.
const PAUSE: Duration = Duration::from_millis(50);

/// How many notices and requests wait for a window.
const QUEUED: usize = 100;

/// Gathers changes. Cheap to clone; putting one never waits.
#[derive(Clone)]
pub struct Outbox {
    shared: Arc<Shared>,
}

struct Shared {
    pending: Mutex<Pending>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Pending {
    /// The number of the subscription that is served.
    subscription: u64,
    states: BTreeMap<Key, Change>,
    queue: VecDeque<Change>,
    wake: Arc<Notify>,
}

impl Outbox {
    /// An empty one.
    pub fn new() -> Self {
        let shared =
            Shared { pending: Mutex::new(Pending::default()), changed: watch::Sender::new(0) };
        Self { shared: Arc::new(shared) }
    }

    /// Puts a change into the next frame.
    pub fn put(&self, change: Change) {
        {
            let mut pending = self.pending();
            match Key::of(&change) {
                Some(key) => pending.put(key, change),
                None => pending.queue(change),
            }
            pending.wake.notify_one();
        }
        self.shared.changed.send_modify(|count| *count += 1);
    }

    /// Counts the changes, for those who draw something of their own from the whole state.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Begins a subscription, and ends the earlier one. `whole` is asked for the state that the first frame carries.
    pub fn subscribe(&self, whole: impl Fn() -> App + Send + Sync + 'static) -> FrameStream {
        let mut pending = self.pending();
        pending.subscription += 1;
        // The first frame has all of that.
        pending.states.clear();
        let earlier = std::mem::take(&mut pending.wake);
        earlier.notify_one();
        FrameStream {
            outbox: self.clone(),
            subscription: pending.subscription,
            wake: pending.wake.clone(),
            whole: Some(Box::new(whole)),
            sent: 0,
            last: None,
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.shared.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Publish for Outbox {
    fn put(&self, change: Change) {
        Self::put(self, change);
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

impl Pending {
    fn put(&mut self, key: Key, change: Change) {
        if let (Key::Cluster(context), Change::ClusterClosed { .. }) = (&key, &change) {
            self.states.retain(|key, _| !key.is_rows_of(context));
        }
        self.states.insert(key, change);
    }

    fn queue(&mut self, change: Change) {
        if self.queue.len() == QUEUED {
            self.queue.pop_front();
        }
        self.queue.push_back(change);
    }

    fn is_empty(&self) -> bool {
        self.states.is_empty() && self.queue.is_empty()
    }

    fn take(&mut self) -> Vec<Change> {
        let states = std::mem::take(&mut self.states).into_values();
        states.chain(self.queue.drain(..)).collect()
    }
}

/// The frames of one subscription.
pub struct FrameStream {
    outbox: Outbox,
    subscription: u64,
    wake: Arc<Notify>,
    whole: Option<Box<dyn Fn() -> App + Send + Sync>>,
    sent: u32,
    last: Option<Instant>,
}

impl FrameStream {
    /// The next frame, at the earliest 50 ms after the one before; `None` once another subscription has begun.
    ///
    /// Nothing is lost when the future is dropped before it is ready.
    pub async fn next(&mut self) -> Option<Frame> {
        while self.is_served() {
            if self.has_news() {
                if let Some(last) = self.last {
                    tokio::time::sleep_until(last + PAUSE).await;
                }
                return self.frame();
            }
            self.wake.notified().await;
        }
        None
    }

    fn is_served(&self) -> bool {
        self.outbox.pending().subscription == self.subscription
    }

    fn has_news(&self) -> bool {
        self.whole.is_some() || !self.outbox.pending().is_empty()
    }

    fn frame(&mut self) -> Option<Frame> {
        // Outside the lock: what is put meanwhile comes again in the next frame, and does no harm.
        let whole = self.whole.take().map(|whole| Change::Everything { app: Box::new(whole()) });
        let mut pending = self.outbox.pending();
        if pending.subscription != self.subscription {
            return None;
        }
        let changes = whole.into_iter().chain(pending.take()).collect();
        self.sent += 1;
        self.last = Some(Instant::now());
        Some(Frame { seq: self.sent, time: Timestamp::now().as_millisecond(), changes })
    }
}

impl fmt::Debug for FrameStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameStream").field("sent", &self.sent).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
