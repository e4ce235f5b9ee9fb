//! The desktop application: a window, a tray icon, and between them and [`towline_app::Controller`] nothing but forwarding.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod commands;
mod exit;
mod notifications;
mod renderer;
mod shell;
mod tray;
mod window;

use std::process::ExitCode;

fn main() -> ExitCode {
    renderer::prepare();
    match shell::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: start the desktop application: {error}");
            ExitCode::FAILURE
        }
    }
}
