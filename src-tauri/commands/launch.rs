//! From a target to a session.

use tauri::{AppHandle, State};
use towline_app::{
    Controller,
    view::{
        ContainerChoice, ExternalHost, Holder, LaunchRequest, Plan, Profile, ProjectFile,
        StopHolder, Stopped,
    },
};

use super::{Answer, system};

#[tauri::command]
pub(super) async fn plan(
    controller: State<'_, Controller>,
    request: LaunchRequest,
) -> Answer<Plan> {
    controller.plan(request).await
}

#[tauri::command]
pub(super) async fn containers(
    controller: State<'_, Controller>,
    context: String,
    namespace: String,
    target: String,
) -> Answer<Vec<ContainerChoice>> {
    controller.containers(&context, &namespace, &target).await
}

#[tauri::command]
pub(super) async fn connect(controller: State<'_, Controller>, plan_id: String) -> Answer<String> {
    controller.connect(&plan_id).await
}

#[tauri::command]
pub(super) async fn find_holders(
    controller: State<'_, Controller>,
    address: String,
    port: u16,
) -> Answer<Vec<Holder>> {
    controller.find_holders(&address, port).await
}

#[tauri::command]
pub(super) async fn stop_holder(
    controller: State<'_, Controller>,
    stop: StopHolder,
) -> Answer<Stopped> {
    controller.stop_holder(&stop).await
}

#[tauri::command]
pub(super) async fn save_profile(
    controller: State<'_, Controller>,
    profile: Profile,
) -> Answer<()> {
    controller.save_profile(profile)
}

#[tauri::command]
pub(super) async fn remove_profile(controller: State<'_, Controller>, id: String) -> Answer<()> {
    controller.remove_profile(&id)
}

#[tauri::command]
pub(super) async fn choose_directory(
    app: AppHandle,
    start: Option<String>,
) -> Answer<Option<String>> {
    system::choose_directory(&app, start).await
}

#[tauri::command]
pub(super) async fn choose_file(app: AppHandle, start: Option<String>) -> Answer<Option<String>> {
    system::choose_file(&app, start).await
}

#[tauri::command]
pub(super) async fn external_host(
    controller: State<'_, Controller>,
    typed: String,
) -> Answer<ExternalHost> {
    controller.external_host(&typed)
}

#[tauri::command]
pub(super) async fn read_project(
    controller: State<'_, Controller>,
    file: String,
    request: LaunchRequest,
) -> Answer<ProjectFile> {
    controller.read_project(&file, request)
}

#[tauri::command]
pub(super) async fn find_project(
    controller: State<'_, Controller>,
    directory: String,
) -> Answer<Option<String>> {
    controller.find_project(&directory)
}

#[tauri::command]
pub(super) async fn save_project(
    app: AppHandle,
    controller: State<'_, Controller>,
    request: LaunchRequest,
    start: Option<String>,
) -> Answer<Option<String>> {
    let Some(file) = system::save_as(&app, start, "towline.yaml").await? else {
        return Ok(None);
    };
    controller.save_project_to(&request, &file)?;
    Ok(Some(file.display().to_string()))
}
