//! Reads `tauri.conf.json` and the capabilities, and refuses to build where they do not fit the commands.

mod command_names;

use tauri_build::{AppManifest, Attributes};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let attributes = Attributes::new()
        .capabilities_path_pattern("src-tauri/capabilities/*.json")
        .app_manifest(AppManifest::new().commands(command_names::COMMANDS));
    tauri_build::try_build(attributes)?;
    Ok(())
}
