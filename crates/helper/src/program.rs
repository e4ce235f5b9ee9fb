//! What the helper does before and after it serves.

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use rustix::fs::Mode;
use rustix::process::{geteuid, setsid, umask};
use tokio::signal::unix::{SignalKind, signal};
use towline_helper::server::{MADE_WAY, ServeError, Setup, serve};

/// Wrong arguments, or wrong rights.
const USAGE: u8 = 2;

/// Who calls says for which user: pkexec(1), sudo(8).
const USER: [&str; 2] = ["PKEXEC_UID", "SUDO_UID"];

pub(super) fn run() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if arguments != ["serve"] {
        return fail(
            "Towline starts this program by itself; there is nothing to do by hand",
            USAGE,
        );
    }
    if !geteuid().is_root() {
        return fail("the superuser's rights are needed", USAGE);
    }
    let uid = match user() {
        Ok(uid) => uid,
        Err(error) => return fail(&error, USAGE),
    };
    detach();
    match work(uid) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ Failure::Serve(ServeError::Running)) => fail(&error.to_string(), MADE_WAY),
        Err(error) => fail(&error.to_string(), 1),
    }
}

/// The user whose programs may speak to this helper.
fn user() -> Result<u32, String> {
    let Some((name, value)) = USER.iter().find_map(|name| Some((name, env::var_os(name)?))) else {
        return Ok(0);
    };
    let number = value.to_str().and_then(|value| value.parse().ok());
    number.ok_or_else(|| format!("{name} has {value:?}, which is not the number of a user"))
}

/// Leaves the terminal and the program that started us: Ctrl-C is not for us, and one client's end is not ours, since there may be others.
fn detach() {
    // Fails for the leader of a group, which has left already.
    let _ = setsid();
    // pkexec asks for SIGTERM at the end of the program that it was called by.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(None);
    umask(Mode::WGRP | Mode::WOTH);
    let _ = env::set_current_dir("/");
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
    #[error(transparent)]
    Serve(#[from] ServeError),
}

fn work(uid: u32) -> Result<(), Failure> {
    // One thread: what is done is little, and `umask` is the whole process's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut terminate, mut interrupt, mut hang_up) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::hangup())?,
        );
        let stop = async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => return,
                    _ = interrupt.recv() => return,
                    // The end of somebody's terminal.
                    _ = hang_up.recv() => {}
                }
            }
        };
        Ok(serve(Setup::of(uid), stop).await?)
    })
}

fn fail(words: &str, status: u8) -> ExitCode {
    // Whoever started us may be gone.
    let _ = writeln!(std::io::stderr(), "towline-helper: {words}");
    ExitCode::from(status)
}
