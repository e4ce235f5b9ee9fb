//! A whole session through the window.

use anyhow::{Context, Result, ensure};
use towline_cluster_tests::eventually;
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::shop;
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::Desktop;
use towline_desktop_tests::kubeconfig::for_window;
use towline_desktop_tests::steps::Program;
use towline_desktop_tests::window::{Window, mark};

/// The local `orders.py` on a free port.
async fn orders() -> Result<Program> {
    let local = free_port().await?;
    let program = shop::shop().join("orders.py").canonicalize()?;
    Ok(Program {
        line: format!("env PORT={local} python3 {}", program.display()),
        remote: 8080,
        local,
    })
}

#[tokio::test]
async fn from_the_list_of_clusters_to_the_restored_workload() -> Result<()> {
    let namespace = Namespace::create("window").await?;
    shop::deploy(&namespace).await?;
    let before = namespace.workload("Deployment", "orders").await?;
    let desktop = Desktop::start().await?;
    let kubeconfig = for_window(&namespace, "shop").await?;
    let application = Application::start(&desktop, &kubeconfig).await?;
    let window = &application.window;

    window.pick_cluster("shop").await?;
    window.redirect("orders").await?;
    let program = orders().await?;
    window.prepare(&program).await?;
    window.picture("launcher").await?;
    window.connect().await?;

    traffic_reaches_the_local_program(&namespace, window, program.local).await?;
    environment_and_names(&namespace, window).await?;
    a_debugger_is_told_the_process(window, program.local).await?;
    lines_arrive(window).await?;
    window.picture("session").await?;

    let ending = window.stop().await?;
    ensure!(ending.contains("orders"), "what became of the workload is told: {ending}");
    namespace.comes_back("Deployment", "orders", &before, 2).await?;
    namespace.nothing_left().await?;
    application.terminate().await
}

/// A customer's request inside the cluster is answered from here, and shows.
async fn traffic_reaches_the_local_program(
    namespace: &Namespace,
    window: &Window,
    local: u16,
) -> Result<()> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")?.trim().to_owned();
    eventually("orders answers from this machine", || async {
        let overview = shop::gateway(namespace, "/", None).await?;
        ensure!(overview["orders"]["served_by"]["host"] == host.as_str(), "{overview}");
        Ok(Some(()))
    })
    .await?;
    window.click(&mark("tab-traffic")).await?;
    // From the cluster only: the program asks services too.
    window.click(&mark("traffic-in")).await?;
    let row = mark("connection");
    window.text(&row, |text| text.starts_with("In")).await?;
    // The names of a row may be cut, and so the driver takes them for hidden.
    let told = window.content(&row, |text| text.contains(&format!("127.0.0.1:{local}"))).await?;
    ensure!(told.contains("orders-"), "the pod that received it: {told}");
    Ok(())
}

/// A variable of a config map, a masked secret that is shown when asked for, a service's address that takes a connection.
async fn environment_and_names(namespace: &Namespace, window: &Window) -> Result<()> {
    window.click(&mark("tab-environment")).await?;
    let variable = |name: &str| mark("variable").with("data-name", name);
    window.fill(&mark("environment-filter"), "REDIS_SERVICE_HOST").await?;
    let host = variable("REDIS_SERVICE_HOST");
    window.text(&host, |text| text.contains("127.0.0.1")).await?;

    window.fill(&mark("environment-filter"), "REDIS_PASSWORD").await?;
    let password = variable("REDIS_PASSWORD");
    let value = mark("variable-value").inside(&password);
    window
        .text(&value, |text| !text.is_empty() && text.chars().all(|letter| letter == '•'))
        .await?;
    let secret = namespace
        .kubectl(&["get", "secret", "redis", "-o", "go-template={{.data.password | base64decode}}"])
        .await?;
    window.click(&mark("variable-reveal").inside(&password)).await?;
    let shown = window.text(&value, |text| !text.contains('•')).await?;
    ensure!(shown == secret, "another value than the secret's is shown");

    window.click(&mark("tab-dns")).await?;
    let catalogue = mark("listener").with("data-service", "catalogue");
    window.content(&catalogue, |text| text.contains("127.0.0.1:")).await?;
    Ok(())
}

/// The very process that answers is offered to a debugger.
async fn a_debugger_is_told_the_process(window: &Window, local: u16) -> Result<()> {
    window.click(&mark("debug")).await?;
    let python = mark("debuggee").with("data-runtime", "Python");
    window.text(&python, |text| text.contains(&format!("listens on {local}"))).await?;
    let process = window.find(&python).await?.attr("data-pid").await?.context("its number")?;
    let command = std::fs::read_to_string(format!("/proc/{process}/cmdline"))?;
    ensure!(command.contains("orders.py"), "process {process} is {command:?}");
    let debugpy = mark("attach-way").with("data-tool", "debugpy").inside(&python);
    window.text(&debugpy, |text| text.contains(&format!("--pid {process}"))).await?;
    window.picture("debugger").await?;
    window.click(&mark("debug-close")).await?;
    window.gone(&mark("debug-dialog")).await
}

/// What the local program writes comes into the log while one looks.
async fn lines_arrive(window: &Window) -> Result<()> {
    window.click(&mark("tab-logs")).await?;
    let text = window.text(&mark("log-lines"), |text| text.contains("GET ")).await;
    text.context("a request in the local program's log").map(drop)
}

#[tokio::test]
async fn quitting_with_an_open_session_restores() -> Result<()> {
    let namespace = Namespace::create("window-quit").await?;
    namespace.http_app("web", 1).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let desktop = Desktop::start().await?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;
    window.prepare(&Program::sleeping().await?).await?;
    window.connect().await?;

    // Nothing shows a tray on this desktop, so closing the window asks.
    desktop.close_window().await?;
    window.text(&mark("quit-dialog"), |text| text.contains("web")).await?;
    window.click(&mark("quit-confirm")).await?;
    application.ended().await?;
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await
}

#[tokio::test]
async fn a_signal_with_an_open_session_restores() -> Result<()> {
    let namespace = Namespace::create("window-signal").await?;
    namespace.http_app("web", 1).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let desktop = Desktop::start().await?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    application.window.prepare(&Program::sleeping().await?).await?;
    application.window.connect().await?;
    application.terminate().await?;
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await
}
