//! UDP both ways: what comes to the container's ports, and what the client wants sent from the pod.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::sleep;
use towline_wire::chunk::{self, Kind};
use towline_wire::mux::MuxStream;
use towline_wire::{
    CarryError, Failure, FailureKind, Flows, Peer, ToClient, Traffic, carry_datagrams,
};
use tracing::{debug, warn};

use super::names::Names;
use super::{Shared, incoming};

/// The most peers that wait for a client; what any more send is lost.
pub(crate) const MOST_WAITING: usize = 256;

/// The pause after a failed read of a socket.
const READ_AGAIN: Duration = Duration::from_millis(100);

/// Takes the datagrams of one port, for ever.
pub(crate) async fn take_all(socket: UdpSocket, port: u16, shared: Arc<Shared>) {
    let mut flows = Flows::of(socket);
    loop {
        match flows.next().await {
            Ok(peer) => drop(tokio::spawn(hand_over(peer, port, shared.clone()))),
            Err(error) => {
                warn!("taking datagrams on port {port} failed: {error}");
                sleep(READ_AGAIN).await;
            }
        }
    }
}

async fn hand_over(mut peer: Peer, port: u16, shared: Arc<Shared>) {
    let from = peer.address();
    let header = ToClient::IncomingUdp { port, peer: from };
    let Some(mut stream) = incoming::open(&header, &shared.waiting_udp, &shared).await else {
        debug!("no client took the datagrams of {from} to port {port}");
        return peer.rest().await;
    };
    if let Err(error) = carry_datagrams(&mut peer, &mut stream, &Traffic::default(), || ()).await {
        debug!("the datagrams of {from} to port {port} ended: {error}");
        drop(stream);
        peer.rest().await;
    }
}

/// Opens a socket for the client's datagrams to one place, says how it went, and carries them.
pub(crate) async fn serve(mut stream: MuxStream, host: &str, port: u16, names: &Names) {
    let opened = async { open(host, &names.addresses(host).await?, port).await };
    let said = match opened.await {
        Ok(socket) => match chunk::write_mark(&mut stream, Kind::Ready).await {
            Ok(()) => carry(socket, &mut stream, host, port).await,
            Err(error) => return debug!("the client has gone: {error}"),
        },
        Err(failure) => Err(failure),
    };
    if let Err(failure) = said {
        debug!("{failure}");
        if let Err(error) = chunk::write_failure(&mut stream, &failure).await {
            debug!("the client has gone: {error}");
        }
    }
}

async fn carry(
    socket: UdpSocket,
    stream: &mut MuxStream,
    host: &str,
    port: u16,
) -> Result<(), Failure> {
    match carry_datagrams(&mut Arc::new(socket), stream, &Traffic::default(), || ()).await {
        // The way to the client is free: nothing was being written when this came.
        Err(CarryError::NearReset(error)) => Err(failed(host, port, &error)),
        Err(error) => {
            debug!("the datagrams to {host}:{port} ended: {error}");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Datagrams tell nothing of a place that does not answer, so the first address is the one.
async fn open(host: &str, addresses: &[IpAddr], port: u16) -> Result<UdpSocket, Failure> {
    let Some(&address) = addresses.first() else {
        let message = format!("{host} has no address");
        return Err(Failure { kind: FailureKind::NotFound, message });
    };
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let connected = async {
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(SocketAddr::new(address, port)).await?;
        Ok(socket)
    };
    connected.await.map_err(|error: io::Error| failed(host, port, &error))
}

fn failed(host: &str, port: u16, error: &io::Error) -> Failure {
    Failure {
        kind: error.into(),
        message: format!("a datagram from the pod to UDP port {port} of {host} failed: {error}"),
    }
}
