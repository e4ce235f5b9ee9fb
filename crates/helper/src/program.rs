//! What the helper does before and after it serves.

#[cfg_attr(unix, path = "program/unix.rs")]
#[cfg_attr(windows, path = "program/windows.rs")]
mod system;

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use towline_helper::server::{MADE_WAY, ServeError, Setup, User, serve};

/// Wrong arguments, or wrong rights.
const USAGE: u8 = 2;

pub(super) fn run() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let user = match &arguments[..] {
        [serve, of @ ..] if serve == "serve" => system::named(of),
        _ => None,
    };
    let Some(user) = user else {
        return fail(
            "Towline starts this program by itself; there is nothing to do by hand",
            USAGE,
        );
    };
    if !system::has_rights() {
        return fail(system::RIGHTS_NEEDED, USAGE);
    }
    let user = match system::user(user) {
        Ok(user) => user,
        Err(error) => return fail(&error, USAGE),
    };
    system::detach();
    match work(user) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ Failure::Serve(ServeError::Running)) => fail(&error.to_string(), MADE_WAY),
        Err(error) => fail(&error.to_string(), 1),
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
    #[error(transparent)]
    Serve(#[from] ServeError),
}

fn work(user: User) -> Result<(), Failure> {
    // One thread: what is done is little, and `umask` is the whole process's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let told = system::told_to_end()?;
        Ok(serve(Setup::of(user), told).await?)
    })
}

fn fail(words: &str, status: u8) -> ExitCode {
    // Whoever started us may be gone.
    let _ = writeln!(std::io::stderr(), "towline-helper: {words}");
    ExitCode::from(status)
}
