//! The tray's menu.

use tauri::{
    AppHandle, Manager, Runtime, async_runtime,
    menu::{IsMenuItem, Menu, MenuItem as Line, PredefinedMenuItem, Submenu},
};
use tauri_plugin_clipboard_manager::ClipboardExt;
use towline_app::{
    Controller,
    tray::{MenuAction, MenuItem},
};

use crate::{exit, window};

type Lines<R> = Vec<Box<dyn IsMenuItem<R>>>;

/// The system's menu for these lines. A line's id is its action, as JSON.
pub(super) fn build<R: Runtime>(app: &AppHandle<R>, items: &[MenuItem]) -> tauri::Result<Menu<R>> {
    let lines = lines(app, items)?;
    Menu::with_items(app, &lines.iter().map(AsRef::as_ref).collect::<Vec<_>>())
}

fn lines<R: Runtime>(app: &AppHandle<R>, items: &[MenuItem]) -> tauri::Result<Lines<R>> {
    items.iter().map(|item| line(app, item)).collect()
}

fn line<R: Runtime>(app: &AppHandle<R>, item: &MenuItem) -> tauri::Result<Box<dyn IsMenuItem<R>>> {
    Ok(match item {
        MenuItem::Entry(label, action) => {
            let id = serde_json::to_string(action)?;
            Box::new(Line::with_id(app, id, plain(label), true, None::<&str>)?)
        }
        MenuItem::Text(label) => Box::new(Line::new(app, plain(label), false, None::<&str>)?),
        MenuItem::Submenu(label, items) => {
            let lines = lines(app, items)?;
            let lines: Vec<_> = lines.iter().map(AsRef::as_ref).collect();
            Box::new(Submenu::with_items(app, plain(label), true, &lines)?)
        }
        MenuItem::Separator => Box::new(PredefinedMenuItem::separator(app)?),
    })
}

/// An ampersand in a label would make a shortcut of the letter that follows.
fn plain(label: &str) -> String {
    label.replace('&', "&&")
}

/// Does what the line with this id says.
pub(super) fn act(app: &AppHandle, id: &str) {
    let Ok(action) = serde_json::from_str(id) else {
        tracing::warn!(id, "a line of the menu that says nothing");
        return;
    };
    let controller = app.state::<Controller>();
    // The controller starts tasks, and the menu's clicks come from outside the runtime.
    let runtime = async_runtime::handle();
    let _within = runtime.inner().enter();
    match action {
        MenuAction::Open => window::raise(app),
        MenuAction::Go(place) => {
            controller.navigate(place);
            window::raise(app);
        }
        MenuAction::Copy(text) => {
            if let Err(error) = app.clipboard().write_text(text) {
                tracing::warn!(%error, "put an address on the clipboard");
            }
        }
        MenuAction::Stop(session) => stop(&controller, &session),
        MenuAction::StopAll => {
            for session in towline_app::tray::open(&controller.app()) {
                stop(&controller, &session.id);
            }
        }
        MenuAction::Quit => exit::quit(app),
    }
}

fn stop(controller: &Controller, session: &str) {
    if let Err(report) = controller.stop_session(session) {
        tracing::warn!(session, report.message, "stop a session from the tray");
    }
}
