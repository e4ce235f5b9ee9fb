//! The state, the settings, the application itself.

use tauri::{AppHandle, State, async_runtime, ipc::Channel};
use towline_app::{
    Controller,
    view::{Frame, Preferences},
};

use super::{Answer, system};
use crate::{exit, notifications, window};

#[tauri::command]
pub(super) async fn subscribe(
    app: AppHandle,
    controller: State<'_, Controller>,
    frames: Channel<Frame>,
) -> Answer<()> {
    let controller = controller.inner().clone();
    let mut stream = controller.subscribe();
    async_runtime::spawn(async move {
        while let Some(frame) = stream.next().await {
            notifications::show(&app, &controller, &frame);
            if frames.send(frame).is_err() {
                return;
            }
        }
    });
    Ok(())
}

#[tauri::command]
pub(super) fn ready(app: AppHandle) {
    window::painted(&app);
}

#[tauri::command]
pub(super) async fn save_preferences(
    controller: State<'_, Controller>,
    preferences: Preferences,
) -> Answer<()> {
    controller.save_preferences(preferences)
}

#[tauri::command]
pub(super) async fn copy(app: AppHandle, text: String) -> Answer<()> {
    system::copy(&app, text)
}

#[tauri::command]
pub(super) async fn quit(app: AppHandle) -> Answer<()> {
    exit::stop_all(&app).await;
    app.exit(0);
    Ok(())
}
