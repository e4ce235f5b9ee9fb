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
    async fn carry_datagrams(&self, peer: Peer, place: &Place, route: &Route) {
        let open = self.chronicle.counters.open(place.as_route(), Some(peer.address()));
        let mut stream = match self.dial(place, route).await {
            Ok(stream) => stream,
            Err(reason) => {
                open.failed(&reason);
                return self.tell(place, reason);
            }
        };
        let reason = match carry_datagrams(peer, &mut stream, &open, || open.established()).await {
            Ok(()) => return,
            Err(CarryError::Failed(failure)) => failure.message,
            Err(CarryError::FarReset(ChunkError::Reset(_))) => {
                "the agent did not open a socket for it; one of an earlier release carries no UDP"
                    .to_owned()
            }
            Err(error) => {
                open.failed(&error.to_string());
                return tracing::debug!(?place, %error, "datagrams to the cluster ended early");
            }
        };
        open.failed(&reason);
        self.tell(place, reason);
    }
}
