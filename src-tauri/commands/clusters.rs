//! Clusters and their tables.

use tauri::State;
use towline_app::{
    Controller,
    view::{RowsPage, RowsQuery},
};

use super::Answer;

#[tauri::command]
pub(super) async fn connect_cluster(
    controller: State<'_, Controller>,
    context: String,
    namespaces: Vec<String>,
) -> Answer<()> {
    controller.connect_cluster(&context, namespaces)
}

#[tauri::command]
pub(super) async fn disconnect_cluster(
    controller: State<'_, Controller>,
    context: String,
) -> Answer<()> {
    controller.disconnect_cluster(&context)
}

#[tauri::command]
pub(super) async fn watch_namespaces(
    controller: State<'_, Controller>,
    context: String,
    namespaces: Vec<String>,
) -> Answer<()> {
    controller.watch_namespaces(&context, namespaces)
}

#[tauri::command]
pub(super) async fn rows(controller: State<'_, Controller>, query: RowsQuery) -> Answer<RowsPage> {
    controller.rows(&query)
}
