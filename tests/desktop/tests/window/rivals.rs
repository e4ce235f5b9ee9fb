//! Somebody else changes the workload, or has it.

use anyhow::{Context, Result, ensure};
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::{eventually, node};
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::Desktop;
use towline_desktop_tests::notifications::Notifications;
use towline_desktop_tests::steps::{Program, review, session};
use towline_desktop_tests::tray::TrayHost;
use towline_desktop_tests::window::mark;

#[tokio::test]
async fn a_deployment_in_between_is_told_and_a_click_on_the_notification_leads_to_it() -> Result<()>
{
    let namespace = Namespace::create("window-rival").await?;
    namespace.http_app("web", 1).await?;
    let desktop = Desktop::start().await?;
    // With a tray the window can be away.
    let _host = TrayHost::start(&desktop).await?;
    let notifications = Notifications::start(&desktop).await?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;
    window.prepare(&Program::sleeping().await?).await?;
    let id = window.connect().await?;
    window.click(&mark("nav-clusters")).await?;
    desktop.close_window().await?;
    shows_window(&desktop, false).await?;

    namespace.kubectl(&["set", "image", "deployment/web", "*=localhost:1/theirs:1"]).await?;
    let shown = notifications.shown(|shown| shown.body.contains("deployment/web")).await?;
    ensure!(shown.actions == ["default"], "it can be clicked: {shown:?}");
    notifications.click(&shown).await?;
    shows_window(&desktop, true).await?;
    let ending = session("ended").with("data-session", &id);
    window.find(&ending).await?;
    let told = mark("session-ending").with("data-how", "overwritten");
    window.text(&told, |text| text.contains("theirs stays")).await?;
    let now = namespace
        .kubectl(&[
            "get",
            "deployment",
            "web",
            "-o",
            "jsonpath={.spec.template.spec.containers[*].image}",
        ])
        .await?;
    ensure!(now.contains("localhost:1/theirs:1"), "theirs stays: {now}");
    application.terminate().await
}

#[tokio::test]
async fn a_workload_in_another_session_is_taken_over() -> Result<()> {
    let namespace = Namespace::create("window-take").await?;
    namespace.http_app("web", 1).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let mut other = namespace.stand_in("deployment/web", "web", &[]).await?;

    let desktop = Desktop::start().await?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;
    let local = free_port().await?;
    let program = namespace.home.path().join("program.py");
    std::fs::write(&program, towline_cluster_tests::local::PROGRAM)?;
    let server = format!("python3 {} {local}", program.display());
    window.fill_in(&Program { line: server, remote: 8080, local }).await?;
    let told = window.text(&review("blocked"), |text| text.contains("in a session of")).await?;
    ensure!(told.contains("deployment/web"), "{told}");
    window.click(&mark("launch-take-over")).await?;
    window.find(&review("ready")).await?;
    window.connect().await?;

    let (end, _) = other.outcome().await?;
    ensure!(end == "taken_over", "the other session ended with {end}");
    let url = format!("http://{}/", namespace.cluster_ip("web").await?);
    eventually("an answer of this session's program", || async {
        let answer = node::get(&url).await?;
        Ok(answer.starts_with("local ").then_some(()))
    })
    .await?;
    let ending = window.stop().await?;
    ensure!(ending.contains("is what it was"), "{ending}");
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await?;
    application.terminate().await
}

async fn shows_window(desktop: &Desktop, wanted: bool) -> Result<()> {
    eventually(&format!("the window is shown: {wanted}"), || async {
        Ok((desktop.shows_window().await? == wanted).then_some(()))
    })
    .await
    .context("the window")
}
