//! A project file in the window: found where the program lives, filled in, followed.

use std::fs;

use anyhow::{Result, ensure};
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::namespace::Namespace;
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::Desktop;
use towline_desktop_tests::steps::review;
use towline_desktop_tests::window::{Window, mark};

/// Names the directory of the local program, and uses the project file that is offered there.
async fn take_up(window: &Window, directory: &str) -> Result<()> {
    let field = mark("launch-directory");
    window.click_until(&mark("launch-program-command"), &field).await?;
    window.fill(&field, directory).await?;
    window.click(&mark("launch-project-found")).await
}

#[tokio::test]
async fn it_is_found_filled_in_and_followed() -> Result<()> {
    let namespace = Namespace::create("window-project").await?;
    namespace.http_app("web", 1).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let local = free_port().await?;
    let sources = tempfile::tempdir()?;
    let file = sources.path().join("towline.yaml");
    let text = |ports: &str| {
        format!(
            "target: web
namespace: {}
{ports}: [8080:{local}]
names: variables
program:
  command: sh -c 'pwd; echo \"$GREETING at $WEB\"; exec sleep 3600'
environment:
  GREETING: hello from the file
  WEB: ${{service:web.address}}
",
            namespace.name
        )
    };
    fs::write(&file, text("prots"))?;
    let desktop = Desktop::start().await?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;

    take_up(window, sources.path().to_str().unwrap()).await?;
    let strip = mark("launch-project-strip");
    let refused = window.text(&strip, |text| text.contains("line 3")).await?;
    ensure!(refused.contains("ports"), "what was probably meant: {refused}");
    window.find(&review("incomplete")).await?;

    fs::write(&file, text("ports"))?;
    window.click(&strip.clone().child("button")).await?;
    window.find(&review("ready")).await?;
    let port = window.find(&mark("launch-port").with("data-remote", "8080")).await?;
    ensure!(port.prop("value").await?.as_deref() == Some(&*local.to_string()), "the file's port");
    window.picture("project-file").await?;
    window.connect().await?;

    window.click(&mark("tab-logs")).await?;
    let greeting = "hello from the file at 127.0.0.1:";
    let lines = window.text(&mark("log-lines"), |text| text.contains(greeting)).await?;
    ensure!(lines.contains(sources.path().to_str().unwrap()), "where the program runs: {lines}");
    window.stop().await?;
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await?;
    application.terminate().await
}
