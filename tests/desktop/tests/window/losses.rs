//! The network goes, the application is killed.

use anyhow::{Result, ensure};
use towline_cluster_tests::namespace::Namespace;
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::Desktop;
use towline_desktop_tests::kubeconfig::for_window;
use towline_desktop_tests::process;
use towline_desktop_tests::relay::Relay;
use towline_desktop_tests::steps::{Program, session};
use towline_desktop_tests::window::mark;

#[tokio::test]
async fn a_loss_is_an_amber_bar_and_one_longer_than_the_lease_a_lapse() -> Result<()> {
    let namespace = Namespace::create("window-loss").await?;
    namespace.http_app("web", 1).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let (relay, kubeconfig) = Relay::for_window(&namespace, "sandbox").await?;
    let desktop = Desktop::start().await?;
    let application = Application::start(&desktop, &kubeconfig).await?;
    let window = &application.window;
    window.pick_cluster("sandbox").await?;
    window.redirect("web").await?;
    window.fill_in(&Program::sleeping().await?).await?;
    window.lease(30).await?;
    window.connect().await?;

    relay.cut();
    let told = window
        .text(&mark("session-reconnecting"), |text| text.contains("Your program goes on"))
        .await?;
    ensure!(told.starts_with("Since"), "how long: {told}");
    window.picture("reconnecting").await?;
    relay.mend();
    window.find(&session("connected")).await?;
    window.gone(&mark("session-reconnecting")).await?;

    relay.cut();
    window.find(&session("reconnecting")).await?;
    // The cluster does not wait for this machine.
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    relay.mend();
    window.text(&mark("session-lapsed"), |text| text.contains("deployment/web")).await?;
    let running = mark("program").with("data-state", "running");
    window.find(&running).await?;
    window.picture("lapsed").await?;
    window.click(&mark("session-reconnect")).await?;
    window.find(&session("connected")).await?;
    window.stop().await?;
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await?;
    application.terminate().await
}

#[tokio::test]
async fn what_a_killed_application_leaves_is_repaired_at_the_next_start() -> Result<()> {
    let namespace = Namespace::create("window-killed").await?;
    namespace.http_app("web", 1).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let desktop = Desktop::start().await?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    application.window.prepare(&Program::sleeping().await?).await?;
    application.window.connect().await?;
    process::signal(application.id, "KILL")?;
    application.ended().await?;
    drop(application);
    let changed = namespace.workload("Deployment", "web").await?;
    ensure!(changed != before, "the agent is still in place");

    let kubeconfig = for_window(&namespace, "sandbox").await?;
    let application = Application::start(&desktop, &kubeconfig).await?;
    let window = &application.window;
    let banner = mark("leftovers-banner");
    let told = window.text(&banner, |text| text.contains("deployment/web")).await?;
    ensure!(told.contains(&namespace.name), "{told}");
    window.picture("leftovers").await?;
    window.click(&mark("leftover-repair")).await?;
    window.gone(&banner).await?;
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await?;
    application.terminate().await
}

#[tokio::test]
async fn the_banner_goes_with_the_clusters_own_repair() -> Result<()> {
    let namespace = Namespace::create("window-banner").await?;
    namespace.http_app("web", 1).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let desktop = Desktop::start().await?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;
    window.fill_in(&Program::sleeping().await?).await?;
    window.lease(30).await?;
    window.connect().await?;
    process::signal(application.id, "KILL")?;
    application.ended().await?;
    drop(application);

    let kubeconfig = for_window(&namespace, "sandbox").await?;
    let application = Application::start(&desktop, &kubeconfig).await?;
    let window = &application.window;
    let banner = mark("leftovers-banner");
    window.text(&banner, |text| text.contains("deployment/web")).await?;
    // The cluster is looked at as long as the user has picked it.
    window.pick_cluster("sandbox").await?;
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    window.gone(&banner).await?;
    namespace.nothing_left().await?;
    application.terminate().await
}
