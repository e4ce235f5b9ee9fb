//! Opening ports.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};
use tracing::debug;

/// How many connections the kernel completes before they are accepted.
const BACKLOG: i32 = 1024;

/// Opens a port on every address of the pod, of both families where the pod has both, by [`listen`] or [`datagrams`].
pub(crate) fn everywhere<T>(
    port: u16,
    open: impl Fn(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    match open((Ipv6Addr::UNSPECIFIED, port).into()) {
        // Taken for IPv6 is taken; a pod without IPv6 answers otherwise.
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            debug!("port {port} without IPv6: {error}");
            open((Ipv4Addr::UNSPECIFIED, port).into())
        }
        other => other,
    }
}

/// Takes datagrams.
pub(crate) fn datagrams(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(address.ip().is_loopback())?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Listens on the pod's loopback, on 127.0.0.1 and, where there is one, on ::1; the first is always there.
pub(crate) fn loopback(port: u16) -> io::Result<Vec<TcpListener>> {
    let first = listen((Ipv4Addr::LOCALHOST, port).into())?;
    let port = first.local_addr()?.port();
    let second = listen((Ipv6Addr::LOCALHOST, port).into());
    if let Err(error) = &second {
        debug!("no control port on ::1: {error}");
    }
    Ok(std::iter::once(first).chain(second.ok()).collect())
}

/// Takes connections.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(address.ip().is_loopback())?;
    }
    // A restarted agent must not wait for the connections of the one before to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
