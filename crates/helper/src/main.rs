//! `towline-helper serve`: started with the superuser's rights, by polkit or directly, never by hand.

use std::process::ExitCode;

#[cfg(unix)]
mod program;

#[cfg(unix)]
fn main() -> ExitCode {
    program::run()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!("towline-helper: there is no helper for this system yet");
    ExitCode::FAILURE
}
