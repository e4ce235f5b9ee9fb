//! Sessions and their programs.

use tauri::{AppHandle, State};
use towline_app::{
    Controller,
    view::{Connection, Debuggees, EnvironmentFormat, ListenerTest, SessionEvent, Variable},
};

use super::{Answer, system};

#[tauri::command]
pub(super) async fn stop_session(controller: State<'_, Controller>, id: String) -> Answer<()> {
    controller.stop_session(&id)
}

#[tauri::command]
pub(super) async fn reconnect_session(controller: State<'_, Controller>, id: String) -> Answer<()> {
    controller.reconnect_session(&id)
}

#[tauri::command]
pub(super) async fn dismiss_session(controller: State<'_, Controller>, id: String) -> Answer<()> {
    controller.dismiss_session(&id)
}

#[tauri::command]
pub(super) async fn start_program(controller: State<'_, Controller>, id: String) -> Answer<()> {
    controller.start_program(&id)
}

#[tauri::command]
pub(super) async fn stop_program(controller: State<'_, Controller>, id: String) -> Answer<()> {
    controller.stop_program(&id)
}

#[tauri::command]
pub(super) async fn restart_program(controller: State<'_, Controller>, id: String) -> Answer<()> {
    controller.restart_program(&id)
}

#[tauri::command]
pub(super) async fn debuggees(controller: State<'_, Controller>, id: String) -> Answer<Debuggees> {
    controller.debuggees(&id).await
}

#[tauri::command]
pub(super) async fn environment(
    controller: State<'_, Controller>,
    id: String,
) -> Answer<Vec<Variable>> {
    controller.environment(&id)
}

#[tauri::command]
pub(super) async fn reveal(
    controller: State<'_, Controller>,
    id: String,
    name: String,
) -> Answer<String> {
    controller.reveal(&id, &name)
}

#[tauri::command]
pub(super) async fn copy_environment(
    app: AppHandle,
    controller: State<'_, Controller>,
    id: String,
    format: EnvironmentFormat,
) -> Answer<()> {
    system::copy(&app, controller.environment_text(&id, format)?)
}

#[tauri::command]
pub(super) async fn connections(
    controller: State<'_, Controller>,
    id: String,
) -> Answer<Vec<Connection>> {
    controller.connections(&id)
}

#[tauri::command]
pub(super) async fn test_listener(
    controller: State<'_, Controller>,
    id: String,
    namespace: String,
    service: String,
    port: u16,
) -> Answer<ListenerTest> {
    controller.test_listener(&id, &namespace, &service, port).await
}

#[tauri::command]
pub(super) async fn events(
    controller: State<'_, Controller>,
    id: String,
    from: u64,
    limit: u32,
) -> Answer<Vec<SessionEvent>> {
    controller.events(&id, from, limit)
}
