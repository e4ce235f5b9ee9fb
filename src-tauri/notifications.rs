//! The system's notifications: what needs the user while the window is not in front.

use serde_json::Value;
use tauri::AppHandle;
use tauri_plugin_notification::NotificationExt;
use towline_app::{
    Controller,
    view::{Change, Frame, Notice, Place, Tone},
};

use crate::window;

/// The session that a notification is about, among its extras.
const SESSION: &str = "session";

/// Shows what of a frame needs the user.
pub(crate) fn show(app: &AppHandle, controller: &Controller, frame: &Frame) {
    let mut notices = frame.changes.iter().filter_map(needs_the_user).peekable();
    let wanted = notices.peek().is_some() && controller.app().preferences.notifications;
    if !wanted || window::is_focused(app) {
        return;
    }
    for notice in notices {
        let builder = app.notification().builder().title(&notice.title).body(&notice.message);
        let builder = match &notice.session {
            Some(session) => builder.extra(SESSION, session),
            None => builder,
        };
        if let Err(error) = builder.show() {
            tracing::warn!(%error, title = notice.title, "show a notification");
        }
    }
}

/// A click on a notification brings the window up, at the session that it is about.
pub(crate) fn follow_clicks(app: &AppHandle, controller: &Controller) {
    let (handle, controller) = (app.clone(), controller.clone());
    let followed = app.notification().on_action(move |action| {
        let extra =
            action.notification().and_then(|notification| notification.extra().get(SESSION));
        if let Some(id) = extra.and_then(Value::as_str) {
            controller.navigate(Place::Session { id: id.to_owned() });
        }
        window::raise(&handle);
    });
    if let Err(error) = followed {
        tracing::warn!(%error, "follow clicks on notifications");
    }
}

fn needs_the_user(change: &Change) -> Option<&Notice> {
    match change {
        Change::Notice { notice } if notice.tone >= Tone::Warning => Some(notice),
        _ => None,
    }
}
