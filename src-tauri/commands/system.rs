//! What only the system can do: its clipboard, its dialogs, its file manager.

use std::path::{Path, PathBuf};

use tauri::AppHandle;
use tauri_plugin_clipboard_manager::ClipboardExt;
use tauri_plugin_dialog::{DialogExt, FileDialogBuilder, FilePath};
use tauri_plugin_opener::OpenerExt;
use tokio::sync::oneshot;
use towline_app::view::Report;

use super::Answer;
use crate::window;

/// Puts text on the clipboard.
pub(super) fn copy(app: &AppHandle, text: String) -> Answer<()> {
    app.clipboard().write_text(text).map_err(|error| {
        refused("clipboard", format!("The clipboard does not take the text: {error}"), None)
    })
}

/// Opens a directory in the file manager.
pub(super) fn show_directory(app: &AppHandle, directory: &Path) -> Answer<()> {
    let path = directory.display().to_string();
    app.opener().open_path(&path, None::<&str>).map_err(|error| {
        let message = format!("No file manager opens {path}: {error}");
        refused("file_manager", message, Some("The files can be read there with any editor."))
    })
}

/// Asks for a directory.
pub(super) async fn choose_directory(
    app: &AppHandle,
    start: Option<String>,
) -> Answer<Option<String>> {
    let (answer, chosen) = oneshot::channel();
    dialog(app, start).pick_folder(|path| drop(answer.send(path)));
    Ok(path(chosen.await.ok().flatten())?.map(|path| path.display().to_string()))
}

/// Asks for a file that exists.
pub(super) async fn choose_file(app: &AppHandle, start: Option<String>) -> Answer<Option<String>> {
    let (answer, chosen) = oneshot::channel();
    dialog(app, start).pick_file(|path| drop(answer.send(path)));
    Ok(path(chosen.await.ok().flatten())?.map(|path| path.display().to_string()))
}

/// Asks where to write a file.
pub(super) async fn save_as(
    app: &AppHandle,
    start: Option<String>,
    name: &str,
) -> Answer<Option<PathBuf>> {
    let (answer, chosen) = oneshot::channel();
    dialog(app, start).set_file_name(name).save_file(|path| drop(answer.send(path)));
    path(chosen.await.ok().flatten())
}

fn dialog(app: &AppHandle, start: Option<String>) -> FileDialogBuilder<tauri::Wry> {
    let mut dialog = app.dialog().file();
    if let Some(window) = window::main(app) {
        dialog = dialog.set_parent(&window);
    }
    match start {
        Some(start) => dialog.set_directory(start),
        None => dialog,
    }
}

fn path(chosen: Option<FilePath>) -> Answer<Option<PathBuf>> {
    chosen.map(FilePath::into_path).transpose().map_err(|error| {
        let hint = "Choose a file or directory of this machine's own.";
        refused("no_path", format!("What was chosen is not on this machine: {error}"), Some(hint))
    })
}

fn refused(code: &str, message: String, hint: Option<&str>) -> Report {
    Report { code: code.to_owned(), message, hint: hint.map(str::to_owned), detail: None }
}
