//! As a process of Linux or macOS.

use std::env;
use std::ffi::OsString;
use std::future::Future;
use std::io;

use rustix::fs::Mode;
use rustix::process::{geteuid, setsid, umask};
use tokio::signal::unix::{SignalKind, signal};
use towline_helper::server::User;

/// Who calls says for which user: pkexec(1), sudo(8).
const USER: [&str; 2] = ["PKEXEC_UID", "SUDO_UID"];

/// What is missing without rights.
pub(super) const RIGHTS_NEEDED: &str = "the superuser's rights are needed";

/// The user that the arguments name, which is nobody on Linux; nothing, if they are not understood.
pub(super) fn named(arguments: &[OsString]) -> Option<Option<User>> {
    match arguments {
        [] => Some(None),
        [user] if cfg!(not(target_os = "linux")) => user.to_str()?.parse().ok().map(Some),
        _ => None,
    }
}

pub(super) fn has_rights() -> bool {
    geteuid().is_root()
}

/// The user whose programs may speak to this helper.
pub(super) fn user(named: Option<User>) -> Result<User, String> {
    if let Some(user) = named {
        return Ok(user);
    }
    let Some((name, value)) = USER.iter().find_map(|name| Some((name, env::var_os(name)?))) else {
        return Ok(0);
    };
    let number = value.to_str().and_then(|value| value.parse().ok());
    number.ok_or_else(|| format!("{name} has {value:?}, which is not the number of a user"))
}

/// Leaves the terminal and the program that started us: Ctrl-C is not for us, and one client's end is not ours, since there may be others.
pub(super) fn detach() {
    // Fails for the leader of a group, which has left already.
    let _ = setsid();
    // pkexec asks for SIGTERM at the end of the program that it was called by.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(None);
    umask(Mode::WGRP | Mode::WOTH);
    let _ = env::set_current_dir("/");
}

/// Is done when this process is told to end.
pub(super) fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt, mut hang_up) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    );
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                // The end of somebody's terminal.
                _ = hang_up.recv() => {}
            }
        }
    })
}
