//! Takes datagrams of programs on this machine and carries them to the cluster.

use std::time::Duration;
use std::{io, sync::Arc};

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;
use towline_wire::chunk::ChunkError;
use towline_wire::{CarryError, Flows, Peer, carry_datagrams};

use super::{Dialer, Place, Route};

/// After a failed read.
const BREATHE: Duration = Duration::from_millis(50);

/// Takes them for ever. What is under way ends with it, and the socket is closed.
pub(super) async fn take(
    socket: UdpSocket,
    place: Place,
    route: watch::Receiver<Route>,
    dialer: Arc<Dialer>,
) {
    let (mut flows, mut carried) = (Flows::of(socket), JoinSet::new());
    loop {
        let next: io::Result<Peer> = tokio::select! {
            next = flows.next() => next,
            Some(_) = carried.join_next() => continue,
        };
        match next {
            Ok(peer) => {
                let (place, dialer, route) =
                    (place.clone(), dialer.clone(), route.borrow().clone());
                carried.spawn(async move { dialer.carry_datagrams(peer, &place, &route).await });
            }
            Err(error) => {
                tracing::debug!(%place, %error, "taking datagrams");
                tokio::time::sleep(BREATHE).await;
            }
        }
    }
}

impl Dialer {
    async fn carry_datagrams(&self, mut peer: Peer, place: &Place, route: &Route) {
        if let Err(reason) = self.flow(&mut peer, place, route).await {
            self.tell(place, reason);
            peer.rest().await;
        }
    }

    /// One to its end. The error is for the user.
    async fn flow(&self, peer: &mut Peer, place: &Place, route: &Route) -> Result<(), String> {
        let open = self.chronicle.counters.open(place.as_route(), Some(peer.address()));
        let failed = |reason: String| {
            open.failed(&reason);
            reason
        };
        let mut stream = self.dial(place, route).await.map_err(failed)?;
        let reason = match carry_datagrams(peer, &mut stream, &open, || open.established()).await {
            Ok(()) => return Ok(()),
            Err(CarryError::Failed(failure)) => failure.message,
            Err(CarryError::FarReset(ChunkError::Reset(_))) => {
                "the agent did not open a socket for it; one of an earlier release carries no UDP"
                    .to_owned()
            }
            Err(error) => error.to_string(),
        };
        Err(failed(reason))
    }
}
