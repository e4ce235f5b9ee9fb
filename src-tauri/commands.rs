//! What the window may ask for: the methods of `Backend`, each handed to the controller.

mod clusters;
mod diagnosis;
mod launch;
mod logs;
mod sessions;
mod state;
mod system;
mod volumes;

use tauri::{Wry, ipc::Invoke};
use towline_app::view::Report;

/// Takes the window's calls.
pub(crate) fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        state::subscribe,
        state::ready,
        state::save_preferences,
        state::copy,
        state::quit,
        clusters::connect_cluster,
        clusters::disconnect_cluster,
        clusters::watch_namespaces,
        clusters::rows,
        launch::plan,
        launch::containers,
        launch::connect,
        launch::find_holders,
        launch::stop_holder,
        launch::save_profile,
        launch::remove_profile,
        launch::choose_directory,
        launch::choose_file,
        launch::external_host,
        launch::read_project,
        launch::find_project,
        launch::save_project,
        sessions::stop_session,
        sessions::reconnect_session,
        sessions::dismiss_session,
        sessions::start_program,
        sessions::stop_program,
        sessions::restart_program,
        sessions::debuggees,
        sessions::environment,
        sessions::reveal,
        sessions::copy_environment,
        sessions::connections,
        sessions::test_listener,
        sessions::events,
        volumes::measure_volume,
        volumes::list_volume,
        volumes::fetch_volume,
        volumes::cancel_fetch,
        volumes::choose_volume_pod,
        volumes::write_back,
        volumes::changed_files,
        volumes::open_volume,
        logs::logs,
        logs::open_pod_log,
        logs::close_pod_log,
        logs::export_log,
        diagnosis::diagnose,
        diagnosis::diagnostic_report,
        diagnosis::repair,
        diagnosis::repair_hosts,
        diagnosis::open_log_directory,
    ]
}

/// What a command gives.
type Answer<T> = Result<T, Report>;
