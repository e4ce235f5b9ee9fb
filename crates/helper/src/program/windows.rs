//! As a process of Windows. Never run.

use std::ffi::OsString;
use std::future::Future;
use std::io;

use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
use towline_helper::server::User;

/// What is missing without rights.
pub(super) const RIGHTS_NEEDED: &str = "administrator rights are needed";

/// The user that the arguments name; nothing, if they are not understood.
pub(super) fn named(arguments: &[OsString]) -> Option<User> {
    match arguments {
        [user] => user.to_str()?.parse().ok(),
        _ => None,
    }
}

pub(super) fn has_rights() -> bool {
    elevated_command::Command::is_elevated()
}

/// The user whose programs may speak to this helper.
pub(super) fn user(named: User) -> Result<User, String> {
    Ok(named)
}

/// There is nothing to leave: the helper has a console of its own, which nobody sees, or none.
pub(super) fn detach() {}

/// Is done when this process is told to end.
pub(super) fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut stop) = (ctrl_c()?, ctrl_break()?);
    let (mut close, mut log_off, mut shut_down) = (ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = stop.recv() => {}
            _ = close.recv() => {}
            _ = log_off.recv() => {}
            _ = shut_down.recv() => {}
        }
    })
}
