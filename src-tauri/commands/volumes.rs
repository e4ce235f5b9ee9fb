//! The volumes of a session.

use tauri::{AppHandle, State};
use towline_app::{
    Controller,
    view::{IfChanged, VolumeListing, VolumeSize, WriteOutcome},
};

use super::{Answer, system};

#[tauri::command]
pub(super) async fn measure_volume(
    controller: State<'_, Controller>,
    id: String,
    volume: String,
) -> Answer<VolumeSize> {
    controller.measure_volume(&id, &volume).await
}

#[tauri::command]
pub(super) async fn list_volume(
    controller: State<'_, Controller>,
    id: String,
    volume: String,
    directory: String,
) -> Answer<VolumeListing> {
    controller.list_volume(&id, &volume, &directory).await
}

#[tauri::command]
pub(super) async fn fetch_volume(
    controller: State<'_, Controller>,
    id: String,
    volume: String,
    paths: Vec<String>,
) -> Answer<()> {
    controller.fetch_volume(&id, &volume, paths)
}

#[tauri::command]
pub(super) async fn cancel_fetch(
    controller: State<'_, Controller>,
    id: String,
    volume: String,
) -> Answer<()> {
    controller.cancel_fetch(&id, &volume)
}

#[tauri::command]
pub(super) async fn choose_volume_pod(
    controller: State<'_, Controller>,
    id: String,
    volume: String,
    pod: String,
) -> Answer<()> {
    controller.choose_volume_pod(&id, &volume, &pod)
}

#[tauri::command]
pub(super) async fn write_back(
    controller: State<'_, Controller>,
    id: String,
    volume: String,
    paths: Vec<String>,
    if_changed: IfChanged,
) -> Answer<WriteOutcome> {
    controller.write_back(&id, &volume, paths, if_changed).await
}

#[tauri::command]
pub(super) async fn changed_files(
    controller: State<'_, Controller>,
    id: String,
    volume: String,
) -> Answer<Vec<String>> {
    controller.changed_files(&id, &volume)
}

#[tauri::command]
pub(super) async fn open_volume(
    app: AppHandle,
    controller: State<'_, Controller>,
    id: String,
    volume: String,
) -> Answer<()> {
    system::show_directory(&app, &controller.volume_directory(&id, &volume)?)
}
