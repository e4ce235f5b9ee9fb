//! Logs.

use tauri::{AppHandle, State};
use towline_app::{
    Controller,
    view::{LogPage, LogQuery, PodLogQuery},
};

use super::{Answer, system};

#[tauri::command]
pub(super) async fn logs(controller: State<'_, Controller>, query: LogQuery) -> Answer<LogPage> {
    controller.logs(&query)
}

#[tauri::command]
pub(super) async fn open_pod_log(
    controller: State<'_, Controller>,
    query: PodLogQuery,
) -> Answer<String> {
    controller.open_pod_log(query).await
}

#[tauri::command]
pub(super) async fn close_pod_log(controller: State<'_, Controller>, log: String) -> Answer<()> {
    controller.close_pod_log(&log)
}

#[tauri::command]
pub(super) async fn export_log(
    app: AppHandle,
    controller: State<'_, Controller>,
    query: LogQuery,
) -> Answer<Option<String>> {
    let Some(file) = system::save_as(&app, None, "towline.log").await? else {
        return Ok(None);
    };
    controller.export_log_to(&query, &file)?;
    Ok(Some(file.display().to_string()))
}
