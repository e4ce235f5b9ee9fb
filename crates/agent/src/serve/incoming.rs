//! Connections to the container's ports.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use towline_wire::mux::MuxStream;
use towline_wire::{CarryError, ToClient, Traffic, carry, frame};
use tracing::{debug, warn};

use super::Shared;

/// How long a connection waits for a client, so that a short loss is a delay and not an error.
const WAIT: Duration = Duration::from_secs(10);

/// The most connections that wait; any more are reset at once.
pub(crate) const MOST_WAITING: usize = 1024;

/// The pause after a failed accept: it fails for want of file descriptors, and those come back as connections end.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Accepts the connections of one port, for ever.
pub(crate) async fn accept_all(listener: TcpListener, port: u16, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((tcp, peer)) => {
                tokio::spawn(hand_over(tcp, canonical(peer), port, shared.clone()));
            }
            Err(error) => {
                warn!("accepting a connection on port {port} failed: {error}");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

async fn hand_over(tcp: TcpStream, peer: SocketAddr, port: u16, shared: Arc<Shared>) {
    let Some(stream) = open(&ToClient::Incoming { port, peer }, &shared.waiting, &shared).await
    else {
        debug!("no client took the connection of {peer} to port {port}");
        reset(tcp);
        return;
    };
    // Without it a small answer waits for the acknowledgement of the one before.
    if let Err(error) = tcp.set_nodelay(true) {
        debug!("the connection of {peer} to port {port} has gone: {error}");
    }
    match carry(tcp, stream, &Traffic::default(), || ()).await {
        Ok(()) => {}
        Err(CarryError::Failed(failure)) => {
            debug!("the connection of {peer} to port {port} was refused: {failure}");
        }
        Err(error) => debug!("the connection of {peer} to port {port} ended: {error}"),
    }
}

/// Opens a stream to the client, waiting for one where there is none; `None`: none came, or there is no place to wait.
pub(crate) async fn open(
    header: &ToClient,
    waiting: &Semaphore,
    shared: &Shared,
) -> Option<MuxStream> {
    if let Some(tunnel) = shared.tunnels.current()
        && let Ok(stream) = announce(&tunnel.opener, header).await
    {
        return Some(stream);
    }
    let _place = waiting.try_acquire().ok()?;
    let open = async {
        loop {
            let tunnel = shared.tunnels.next().await;
            if let Ok(stream) = announce(&tunnel.opener, header).await {
                return stream;
            }
            shared.tunnels.replaced(&tunnel).await;
        }
    };
    let mut ending = shared.ending.clone();
    tokio::select! {
        opened = timeout(WAIT, open) => opened.ok(),
        _ = ending.wait_for(|ending| *ending) => None,
    }
}

async fn announce(opener: &towline_wire::mux::Opener, header: &ToClient) -> io::Result<MuxStream> {
    let mut stream = opener.open().await.map_err(io::Error::other)?;
    frame::write(&mut stream, header).await.map_err(io::Error::other)?;
    Ok(stream)
}

fn reset(tcp: TcpStream) {
    // A socket that does not take this option is gone anyway.
    let _ = tcp.set_zero_linger();
}

/// An IPv4 caller is seen as `::ffff:a.b.c.d` by a socket of both families.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
