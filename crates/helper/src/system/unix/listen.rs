//! Sockets on ports that only the superuser may listen on: on Linux those below `ip_unprivileged_port_start`; on macOS those below 1024 of a single
//! address (since 10.14, everybody may have them on all addresses at once, which is not what a session wants).

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;

use socket2::{Domain, Protocol, Socket, Type};
use towline_machine::LoopbackAddress;

use crate::protocol::{Refusal, RefusalCode};

/// How many connections wait until the client accepts them, as far as the system allows.
const BACKLOG: i32 = 1024;

/// A socket that listens, for the client to accept on.
pub(crate) fn listen(address: LoopbackAddress, port: NonZeroU16) -> Result<OwnedFd, Refusal> {
    let address = SocketAddr::new(address.ip(), port.get());
    let listening = || -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // As std and tokio do: connections that linger from before are no obstacle.
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket)
    };
    listening().map(OwnedFd::from).map_err(|error| {
        let code = match error.kind() {
            ErrorKind::AddrInUse => RefusalCode::PortTaken,
            _ => RefusalCode::System,
        };
        Refusal::new(code, format!("cannot listen on {address}: {error}"))
    })
}
