//! Diagnosis and repair.

use tauri::{AppHandle, State};
use towline_app::{
    Controller,
    view::{DiagnosticCheck, Repaired},
};

use super::{Answer, system};

#[tauri::command]
pub(super) async fn diagnose(controller: State<'_, Controller>) -> Answer<Vec<DiagnosticCheck>> {
    controller.diagnose().await
}

#[tauri::command]
pub(super) async fn diagnostic_report(controller: State<'_, Controller>) -> Answer<String> {
    controller.diagnostic_report().await
}

#[tauri::command]
pub(super) async fn repair(
    controller: State<'_, Controller>,
    leftover: String,
) -> Answer<Repaired> {
    controller.repair(&leftover).await
}

#[tauri::command]
pub(super) async fn repair_hosts(controller: State<'_, Controller>) -> Answer<Repaired> {
    controller.repair_hosts().await
}

#[tauri::command]
pub(super) async fn open_log_directory(
    app: AppHandle,
    controller: State<'_, Controller>,
) -> Answer<()> {
    system::show_directory(&app, controller.log_directory())
}
