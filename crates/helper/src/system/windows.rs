//! Windows: a named pipe that only an administrator can make and only the user can open. Never run.
//!
//! Nothing is handed over: Windows has all of 127.0.0.0/8 from the start, and lets everybody listen on every port.

mod home;
mod pipe;
mod place;
mod sid;

use std::convert::Infallible;
use std::net::TcpListener;
use std::num::NonZeroU16;
use std::os::windows::process::CommandExt;
use std::process::Command;

use towline_machine::LoopbackAddress;

pub(crate) use self::home::Home;
pub(crate) use self::pipe::{Listener, Stream, accept, connect, read, stranger, write};
pub use self::place::Place;
pub use self::sid::Sid as User;
use crate::protocol::{Refusal, RefusalCode};

/// There is none.
pub(crate) type Socket = Infallible;

/// `CreateProcessW`: Ctrl-C in the console is not for it, and it has no console.
const APART: u32 = CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW;
const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// Whether this process has administrator rights, and not only its user.
pub(crate) fn is_elevated() -> bool {
    elevated_command::Command::is_elevated()
}

/// Refuses: who cannot listen on a port here cannot do so with more rights either.
pub(crate) fn listen(address: LoopbackAddress, port: NonZeroU16) -> Result<Socket, Refusal> {
    let message = format!(
        "administrator rights are not what is missing to listen on port {port} of {address}: Windows keeps it for itself or for another program (see `netsh interface ipv4 show excludedportrange protocol=tcp`)"
    );
    Err(Refusal::new(RefusalCode::System, message))
}

pub(crate) fn listener(socket: Socket) -> TcpListener {
    match socket {}
}

/// As a process that outlives this one's console.
pub(crate) fn apart(command: &mut Command) {
    command.creation_flags(APART);
}
