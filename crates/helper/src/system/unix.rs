//! Linux and macOS: a socket in a directory that only the user can enter, the kernel's word for who is at its other end, and file descriptors that travel
//! beside the frames.

mod home;
mod listen;
mod place;
mod wire;

use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::geteuid;
use tokio::net::{UnixListener, UnixStream};

pub(crate) use self::home::Home;
pub(crate) use self::listen::listen;
pub use self::place::Place;
pub(crate) use self::wire::{read, write};
use crate::client::HelperError;

/// A user's number.
pub type User = u32;

/// One end of a connection.
pub(crate) type Stream = UnixStream;

/// What clients connect to.
pub(crate) type Listener = UnixListener;

/// A listening socket on its way to the client.
pub(crate) type Socket = OwnedFd;

/// Whether this process has the superuser's rights.
pub(crate) fn is_elevated() -> bool {
    geteuid().is_root()
}

/// The next client.
pub(crate) async fn accept(listener: &Listener) -> io::Result<Stream> {
    Ok(listener.accept().await?.0)
}

/// Why whoever is at the other end may not speak.
pub(crate) fn stranger(stream: &Stream, place: &Place) -> Option<String> {
    match stream.peer_cred() {
        Ok(peer) if peer.uid() == place.uid || peer.uid() == 0 => None,
        Ok(peer) => Some(format!("user {} spoke", peer.uid())),
        Err(error) => Some(format!("the system does not tell who spoke: {error}")),
    }
}

/// Connects to the helper; nothing, if none is there. What is there must be the superuser's.
pub(crate) async fn connect(place: &Place) -> Result<Option<Stream>, HelperError> {
    let socket = place.socket();
    let failed = |error| HelperError::connect(socket.clone(), &error);
    let stream = match UnixStream::connect(&socket).await {
        Ok(stream) => stream,
        Err(error) => {
            return match error.kind() {
                // A directory that cannot be entered is one that its helper has not given away yet.
                ErrorKind::NotFound
                | ErrorKind::ConnectionRefused
                | ErrorKind::PermissionDenied => Ok(None),
                _ => Err(failed(error)),
            };
        }
    };
    let uid = stream.peer_cred().map_err(failed)?.uid();
    if uid != place.helper_uid {
        return Err(HelperError::Impostor { socket, uid });
    }
    Ok(Some(stream))
}

/// The socket as the client uses it.
pub(crate) fn listener(socket: Socket) -> TcpListener {
    TcpListener::from(socket)
}

/// As a process of its own group, so that Ctrl-C in the terminal does not end it before the sessions, and with nothing of this process's environment: the
/// helper is the superuser's own then, whoever `sudo` was called by.
pub(crate) fn apart(command: &mut Command) {
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/")
        .process_group(0);
}
