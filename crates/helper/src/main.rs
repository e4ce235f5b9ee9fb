//! `towline-helper serve`: started with the superuser's rights, by the system's prompt or directly, never by hand.

mod program;

use std::process::ExitCode;

fn main() -> ExitCode {
    program::run()
}
