//! Which client the agent serves: the newest.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::sync::watch;
use towline_wire::handshake::ResumePosition;
use towline_wire::mux::Opener;
use towline_wire::resume;

/// The client's tunnel, if there is one.
#[derive(Debug)]
pub(crate) struct Tunnels {
    current: watch::Sender<Option<Tunnel>>,
    numbers: AtomicU64,
}

/// One tunnel.
#[derive(Clone, Debug)]
pub(crate) struct Tunnel {
    number: u64,
    pub(crate) opener: Opener,
    /// What outlives its connection; none for clients of the first version.
    pipe: Option<resume::Handle>,
}

impl Default for Tunnels {
    fn default() -> Self {
        Self { current: watch::Sender::new(None), numbers: AtomicU64::new(0) }
    }
}

impl Tunnels {
    /// Makes this the client's tunnel; the one before hears of it by [`Tunnels::replaced`].
    pub(crate) fn install(&self, opener: Opener, pipe: Option<resume::Handle>) -> Tunnel {
        let tunnel = Tunnel { number: self.numbers.fetch_add(1, Relaxed), opener, pipe };
        // Two handshakes may end in the other order than they began.
        self.current.send_if_modified(|current| {
            let newer = current.as_ref().is_none_or(|other| other.number < tunnel.number);
            if newer {
                *current = Some(tunnel.clone());
            }
            newer
        });
        tunnel
    }

    /// Takes the connection of the client's pipe away, if it is the one that a client wants to go on with: that client knows that the connection is lost.
    /// Gives the pipe, and from where on its client is to send again.
    pub(crate) fn detach(
        &self,
        wanted: ResumePosition,
    ) -> Option<(resume::Handle, ResumePosition)> {
        let pipe = self.current.borrow().as_ref()?.pipe.clone()?;
        if pipe.number() != wanted.pipe {
            return None;
        }
        let position = pipe.detach()?;
        Some((pipe, position))
    }

    /// Resolves when another tunnel has taken this one's place, or it has been closed.
    pub(crate) async fn replaced(&self, tunnel: &Tunnel) {
        let other = |current: &Option<Tunnel>| {
            current.as_ref().is_none_or(|current| current.number != tunnel.number)
        };
        // An error would mean that the sender is gone; it is borrowed here.
        let _ = self.current.subscribe().wait_for(other).await;
    }

    /// Forgets the tunnel, unless another has taken its place already.
    pub(crate) fn remove(&self, tunnel: &Tunnel) {
        self.current.send_if_modified(|current| {
            let ours = current.as_ref().is_some_and(|current| current.number == tunnel.number);
            if ours {
                *current = None;
            }
            ours
        });
    }

    /// Ends the tunnel, whichever it is.
    pub(crate) fn close(&self) {
        self.current.send_replace(None);
    }

    /// The tunnel as it is now.
    pub(crate) fn current(&self) -> Option<Tunnel> {
        self.current.borrow().clone().filter(|tunnel| !tunnel.opener.is_closed())
    }

    /// Waits for a tunnel that is open.
    pub(crate) async fn next(&self) -> Tunnel {
        let open = |current: &Option<Tunnel>| {
            current.as_ref().is_some_and(|tunnel| !tunnel.opener.is_closed())
        };
        let mut current = self.current.subscribe();
        let found = current.wait_for(open).await.ok().and_then(|found| found.clone());
        match found {
            Some(tunnel) => tunnel,
            // Not while the sender exists, and it is borrowed here.
            None => std::future::pending().await,
        }
    }
}
