//! The tray: all that can be done from its menu alone.

use anyhow::{Result, ensure};
use towline_cluster_tests::eventually;
use towline_cluster_tests::namespace::Namespace;
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::Desktop;
use towline_desktop_tests::kubeconfig::for_window;
use towline_desktop_tests::steps::{Program, session};
use towline_desktop_tests::tray::TrayHost;

#[tokio::test]
async fn the_menu_is_enough() -> Result<()> {
    let namespace = Namespace::create("tray").await?;
    namespace.http_app("web", 1).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let kubeconfig = for_window(&namespace, "sandbox").await?;
    let desktop = Desktop::start().await?;
    let host = TrayHost::start(&desktop).await?;
    let application = Application::start(&desktop, &kubeconfig).await?;
    let window = &application.window;
    host.tooltip(|text| text.contains("no session")).await?;
    let idle = host.picture().await?;
    ensure!((idle.0, idle.1) == (32, 32) && idle.2.iter().any(|byte| *byte != 0), "an icon");

    window.pick_cluster("sandbox").await?;
    window.redirect("web").await?;
    window.prepare(&Program::sleeping().await?).await?;
    window.connect().await?;
    host.tooltip(|text| text.contains("connected")).await?;
    ensure!(host.picture().await? != idle, "the icon tells that a session is open");

    // Closing leaves the session running in the tray.
    hide(&desktop).await?;
    ensure!(desktop.applications()? == [application.id], "the application goes on");
    host.tooltip(|text| text.contains("connected")).await?;

    // A second start brings the window up, and is not a second application.
    application.start_again().await?;
    shown(&desktop).await?;
    ensure!(desktop.applications()? == [application.id], "one application");

    hide(&desktop).await?;
    host.choose(&["web", "Open"]).await?;
    shown(&desktop).await?;

    host.choose(&["web", "Stop"]).await?;
    window.find(&session("ended")).await?;
    host.tooltip(|text| text.contains("no session")).await?;
    ensure!(host.picture().await? == idle, "the icon tells that no session is open");
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await?;

    host.choose(&["Quit"]).await?;
    application.ended().await
}

#[tokio::test]
async fn quitting_says_what_it_stops_and_does() -> Result<()> {
    let namespace = Namespace::create("tray-quit").await?;
    namespace.http_app("web", 1).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let desktop = Desktop::start().await?;
    let host = TrayHost::start(&desktop).await?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;
    window.prepare(&Program::sleeping().await?).await?;
    window.connect().await?;
    host.choose(&[&format!("Quit (stops web ({}))", namespace.name)]).await?;
    application.ended().await?;
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await
}

/// Closes the window and waits until it is away.
async fn hide(desktop: &Desktop) -> Result<()> {
    desktop.close_window().await?;
    eventually("the window is hidden", || async {
        Ok((!desktop.shows_window().await?).then_some(()))
    })
    .await
}

async fn shown(desktop: &Desktop) -> Result<()> {
    eventually("the window is shown", || async { Ok(desktop.shows_window().await?.then_some(())) })
        .await
}
