//! Puts the application together.

use std::process::ExitCode;

use tauri::{App, RunEvent, async_runtime};
use towline_app::{Controller, Directories, LoginShell, Options, view::LogLevel};

use crate::{commands, exit, notifications, tray, window};

/// Runs until the user quits.
pub(crate) fn run() -> tauri::Result<ExitCode> {
    let app = tauri::Builder::default()
        // First: a second start ends here, before it has opened anything.
        .plugin(tauri_plugin_single_instance::init(|app, _arguments, _directory| {
            window::raise(app);
        }))
        .plugin(tauri_plugin_clipboard_manager::init())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::Builder::new().open_js_links_on_click(false).build())
        .invoke_handler(commands::handler())
        .setup(|app| Ok(setup(app)?))
        .build(tauri::generate_context!())?;
    let code = app.run_return(|app, event| {
        // By the system, not by `exit`: that of the menu bar, or the last window's end.
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            api.prevent_exit();
            window::close(app);
        }
    });
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn setup(app: &mut App) -> tauri::Result<()> {
    let controller = async_runtime::block_on(async { start() });
    tauri::Manager::manage(app, controller.clone());
    exit::on_signals(app.handle());
    notifications::follow_clicks(app.handle(), &controller);
    tray::follow(app.handle(), &controller);
    window::open(app.handle())
}

/// Within the runtime: the controller starts tasks.
fn start() -> Controller {
    let directories = Directories::of_user();
    // How much is written, the settings say as soon as they are read.
    let logging = towline_app::init_logging(&directories, LogLevel::default())
        .inspect_err(|report| eprintln!("warning: {}", report.message))
        .ok();
    Controller::new(Options {
        directories,
        path: None,
        login_shell: LoginShell::UnlessInTerminal,
        logging,
    })
}
