//! A port that the session needs is held by a process of another user's, which only an administrator sees: the helper tells which it is, and stops it on the
//! user's word.

use anyhow::{Result, ensure};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::run;
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::Desktop;
use towline_desktop_tests::kubeconfig::for_window;
use towline_desktop_tests::own_machine::{Holder, OwnMachine};
use towline_desktop_tests::steps::{Program, review};
use towline_desktop_tests::window::mark;
use towline_elevation_tests::{BOB, Polkit};

/// A service, her desktop, and his program that has port 8080 of her machine and does not end by SIGTERM.
async fn in_the_way(prefix: &str, polkit: Polkit) -> Result<(Namespace, Desktop, Holder)> {
    let namespace = Namespace::create(prefix).await?;
    namespace.http_app("web", 1).await?;
    let desktop = Desktop::on_machine(OwnMachine::with(polkit).await?).await?;
    let holder = desktop.machine()?.deaf_holder(BOB).await?;
    Ok((namespace, desktop, holder))
}

#[tokio::test]
async fn in_the_window_it_is_found_out_and_stopped() -> Result<()> {
    let (namespace, desktop, mut holder) = in_the_way("window-other", Polkit::Grants).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;
    window.fill_in(&Program { local: 8080, ..Program::sleeping().await? }).await?;
    window.find(&review("blocked")).await?;
    let taken = mark("launch-taken").with("data-port", "8080");
    window.content(&taken, |text| text.contains("the user bob")).await?;
    window.click(&mark("launch-stop-holder").inside(&taken)).await?;
    let dialog = mark("stop-dialog");
    window.text(&dialog, |text| text.contains("only an administrator sees")).await?;
    window.picture("holder-unknown").await?;
    window.click(&mark("stop-look")).await?;
    let process = format!("process {}", holder.pid);
    let told = window.text(&dialog, |text| text.contains(&process)).await?;
    for part in ["python3", "the user bob", "create_server"] {
        ensure!(told.contains(part), "'{part}' is not told: {told}");
    }
    window.picture("holder-known").await?;
    ensure!(holder.runs()?, "looking stops nobody");
    window.click(&mark("stop-confirm")).await?;
    window.text(&dialog, |text| text.contains("still runs")).await?;
    ensure!(holder.runs()?, "it goes on until the user says so again");
    window.click(&mark("stop-kill")).await?;
    holder.ended().await?;
    window.find(&review("ready")).await?;
    window.connect().await?;
    window.stop().await?;
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await?;
    application.terminate().await
}

/// `towline connect web`, with a command that says `it ran`, as her: whether it ended well, and all that was written.
async fn connect(
    namespace: &Namespace,
    desktop: &Desktop,
    more: &[&str],
) -> Result<(bool, String)> {
    let kubeconfig = desktop.readable(&for_window(namespace, "sandbox").await?)?;
    let mut towline = desktop.command_of_user(&desktop.machine()?.command_line);
    towline.env("KUBECONFIG", kubeconfig).env("NO_COLOR", "1");
    towline.args(["connect", "web", "--no-admin", "--port", "8080:8080"]).args(more);
    towline.args(["--", "echo", "it ran"]);
    let finished = run(towline).await?;
    Ok((finished.status.success(), format!("{}{}", finished.stdout, finished.stderr)))
}

#[tokio::test]
async fn on_the_command_line_it_is_stopped_by_the_users_word_only() -> Result<()> {
    let (namespace, desktop, mut holder) = in_the_way("other", Polkit::Grants).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let process = format!("process {}", holder.pid);

    let (good, said) = connect(&namespace, &desktop, &[]).await?;
    ensure!(!good && said.contains("bob") && said.contains("--free-port 8080"), "{said}");
    ensure!(holder.runs()?, "it was stopped unasked");

    // Deaf to SIGTERM: it takes another word.
    let (good, said) = connect(&namespace, &desktop, &["--free-port", "8080"]).await?;
    ensure!(!good && said.contains("administrator's rights are needed"), "{said}");
    ensure!(said.contains(&process) && said.contains("--free-port 8080:kill"), "{said}");
    ensure!(holder.runs()?, "it was killed unasked");
    ensure!(namespace.workload("Deployment", "web").await? == before, "web was touched");

    let (good, said) = connect(&namespace, &desktop, &["--free-port", "8080:kill"]).await?;
    ensure!(good && said.contains("SIGKILL") && said.contains(&process), "{said}");
    ensure!(said.contains("it ran"), "the session goes on: {said}");
    holder.ended().await?;
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await
}

#[tokio::test]
async fn without_the_rights_nobody_is_stopped() -> Result<()> {
    let (namespace, desktop, mut holder) = in_the_way("other-refused", Polkit::Refuses).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let (good, said) = connect(&namespace, &desktop, &["--free-port", "8080:kill"]).await?;
    ensure!(!good && said.contains("rights were not granted"), "{said}");
    ensure!(said.contains("nothing was stopped"), "{said}");
    ensure!(holder.runs()?, "it was stopped");
    ensure!(namespace.workload("Deployment", "web").await? == before, "web was touched");
    namespace.nothing_left().await
}
