//! The Debian package, installed on this machine and removed again.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::setting;
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::Desktop;
use towline_desktop_tests::kubeconfig::for_window;

/// The installed package. Removed when dropped.
struct Installed;

impl Installed {
    async fn from(package: &str) -> Result<Self> {
        let already = run("dpkg-query", &["-W", "towline"]).await;
        ensure!(
            already.is_err(),
            "this machine has Towline installed, and the test would remove it"
        );
        run("dpkg", &["--install", package]).await?;
        Ok(Self)
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        let _ = std::process::Command::new("dpkg").args(["--purge", "towline"]).output();
    }
}

async fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} {}: {said}", arguments.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test]
async fn it_is_installed_and_started() -> Result<()> {
    let package = setting("TOWLINE_TEST_DEB")?;
    let installed = Installed::from(&package).await?;
    for file in [
        "/usr/share/applications/dev.towline.Towline.desktop",
        "/usr/share/icons/hicolor/scalable/apps/towline.svg",
        "/usr/share/icons/hicolor/256x256/apps/towline.png",
        "/usr/share/bash-completion/completions/towline",
        "/usr/lib/towline/towline-helper",
    ] {
        ensure!(Path::new(file).exists(), "{file} is not there");
    }
    run("desktop-file-validate", &["/usr/share/applications/dev.towline.Towline.desktop"]).await?;
    let version = run("/usr/bin/towline", &["--version"]).await?;
    ensure!(version.starts_with("towline "), "{version}");

    let namespace = Namespace::create("package").await?;
    let kubeconfig = for_window(&namespace, "sandbox").await?;
    let desktop = Desktop::start().await?;
    let program = Path::new("/usr/bin/towline-app");
    let application = Application::start_program(&desktop, program, &kubeconfig).await?;
    let shown = application.window.everything().await.context("the window")?;
    ensure!(shown.contains("sandbox"), "the window shows the context: {shown}");
    application.terminate().await?;
    drop(installed);
    ensure!(!program.exists(), "the package is removed");
    Ok(())
}
