//! A pipe that outlives what carries it.
//!
//! Under yamux there is a connection through the API server, and such a connection goes when a load balancer, a VPN or a network is changed. The
//! [`Pipe`] keeps what it has written until the other side has said that it has received it. When its carrier is lost, both ends keep everything as it is;
//! the client connects again, both say how much they have received ([`crate::handshake::ResumePosition`]), and the rest is sent again. Nothing above
//! notices more than a delay. After [`PATIENCE`] without a carrier the pipe is given up, and with it all streams are reset.
//!
//! On the carrier there are frames: a byte for the kind, a number of 8 bytes (big endian), and for [`DATA`] as many bytes. A carrier on which nothing
//! came for [`SILENCE`] is taken for lost; the heartbeats of [`crate::control`] see to it that something comes.

mod pipe;
mod state;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

pub use self::pipe::Pipe;
use self::state::State;
pub use crate::control::SILENCE;
use crate::handshake::ResumePosition;

/// How long a pipe waits for another carrier.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long somebody on the pipe may hear nothing: longer than it takes until the pipe itself is over.
pub const WORST: Duration =
    SILENCE.saturating_add(PATIENCE).saturating_add(Duration::from_secs(10));

/// The most bytes that are kept until the other side has them: a network with a round trip of 100 ms and 40 MB a second. Where more than that is under way,
/// a loss ends the pipe. It is not waited for instead: the multiplexer does not always read while it cannot write, and what lets it write again
/// would have to be read.
const KEPT: usize = 4 * 1024 * 1024;

/// After so many bytes the other side is told that they have come. Not more often: each word goes through three programs of the cluster.
const TELL_AFTER: u64 = 512 * 1024;

/// The largest body of a frame: one of the multiplexer's is a little above 64 KiB, and is not to be two.
const LARGEST: usize = 128 * 1024;

/// A frame's kind and number.
const HEADER: usize = 9;

/// So many bytes follow.
const DATA: u8 = 0;
/// So many bytes have been received since the pipe began.
const RECEIVED: u8 = 1;
/// Nothing more will come, and no other carrier is to be awaited. The number is 0.
const CLOSE: u8 = 2;

/// What can carry a pipe.
pub trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Carrier for T {}

/// Cares for a [`Pipe`] that somebody else reads and writes. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    number: u64,
    state: Arc<Mutex<State>>,
    /// Whether it has a carrier, and whether it is over.
    standing: watch::Receiver<Standing>,
}

/// How a pipe stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is carried.
    Carried,
    /// It awaits another carrier.
    Lost,
    /// It is over.
    Over,
}

/// A new pipe on its first carrier. Both sides give it the same `number`.
pub fn begin(number: u64, carrier: impl Carrier + 'static) -> (Pipe, Handle) {
    let (stand, standing) = watch::channel(Standing::Carried);
    let state = Arc::new(Mutex::new(State::new(Box::new(carrier), stand)));
    (Pipe::of(state.clone()), Handle { number, state, standing })
}

/// A number that no other pipe has.
pub fn number() -> u64 {
    rand::random()
}

impl Handle {
    /// Which pipe it is.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Takes the carrier away, if there is one, and says how much has been received: from there the other side is to go on. `None`: the pipe is over.
    pub fn detach(&self) -> Option<ResumePosition> {
        let received = self.lock().detach()?;
        Some(ResumePosition { pipe: self.number, received })
    }

    /// Goes on with another carrier, whose far end has received `received` bytes.
    ///
    /// # Errors
    /// When the pipe is over, or the far end cannot have received that; it is over then. And when that was so once, and is not any more: the pipe goes on
    /// waiting.
    pub fn resume(&self, carrier: impl Carrier + 'static, received: u64) -> io::Result<()> {
        self.lock().resume(Box::new(carrier), received)
    }

    /// How it stands, to be followed.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Ends the pipe for good, and tells the other side, so that it does not wait. What has not been sent is lost.
    pub async fn close(&self) {
        let state = self.state.clone();
        let closed = std::future::poll_fn(|cx| lock(&state).poll_close(cx));
        // A carrier that takes nothing any more is gone.
        let _ = tokio::time::timeout(Duration::from_millis(500), closed).await;
        self.lock().end("it was closed here");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let standing = *self.standing.borrow();
        f.debug_struct("Handle").field("number", &self.number).field("standing", &standing).finish()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Nothing that is done under the lock panics.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
