//! The application of a user without rights, on a machine of its own: a rule of polkit's grants them to the helper, or refuses. A rule decides by itself, so there is
//! no password and no agent to ask for it; `tests/elevation` has the terminal's.

use std::os::unix::fs::MetadataExt;

use anyhow::{Result, ensure};
use towline_cluster_tests::eventually;
use towline_cluster_tests::namespace::Namespace;
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::Desktop;
use towline_desktop_tests::own_machine::OwnMachine;
use towline_desktop_tests::steps::{Program, review};
use towline_desktop_tests::window::{Window, mark};
use towline_elevation_tests::{ALICE, BOB, Polkit};

/// Two services, and her desktop.
async fn hers(prefix: &str, polkit: Polkit) -> Result<(Namespace, Desktop)> {
    let namespace = Namespace::create(prefix).await?;
    namespace.http_app("web", 1).await?;
    namespace.http_app("other", 1).await?;
    let desktop = Desktop::on_machine(OwnMachine::with(polkit).await?).await?;
    Ok((namespace, desktop))
}

/// Fills the launcher for names in the hosts file.
async fn by_names(window: &Window) -> Result<()> {
    window.fill_in(&Program::sleeping().await?).await?;
    window.by_names().await
}

/// Another user's program on the machine, which knows nothing of Towline, finds the service by its name and on its own port.
async fn found_by_others(machine: &OwnMachine) -> Result<()> {
    let answer = eventually("an answer by name", || async {
        Ok(Some(machine.run_as(BOB, "curl", &["-sf", "--max-time", "10", "http://other/"])?))
    })
    .await?;
    ensure!(answer.starts_with("cluster other-"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn granted_the_session_has_names_and_low_ports() -> Result<()> {
    let (namespace, desktop) = hers("window-granted", Polkit::Grants).await?;
    let machine = desktop.machine()?;
    let before = namespace.workload("Deployment", "web").await?;
    let as_it_was = machine.machine.hosts()?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let process = std::fs::metadata(format!("/proc/{}", application.id))?;
    ensure!(process.uid() == ALICE, "the application runs as user {}", process.uid());
    let window = &application.window;
    by_names(window).await?;
    let told = window.ask_for_rights().await?;
    ensure!(told.contains("/etc/hosts") && told.contains("80"), "what they are for: {told}");
    let session = window.connected().await?;
    window.content(&mark("foot-helper"), |text| text.contains("Running")).await?;
    let written = machine.machine.hosts()?;
    let full = format!("other.{}.svc.cluster.local", namespace.name);
    ensure!(written.starts_with(&as_it_was) && written.contains(&full), "{written}");
    let helper = machine.machine.helper_of(&session)?.to_string();
    let runs_as = machine.machine.read("ps", &["-o", "uid=", "-p", &helper])?;
    ensure!(runs_as.trim() == "0", "the helper runs as user {runs_as}");
    window.reaches("other").await?;
    found_by_others(machine).await?;
    window.picture("rights-granted").await?;

    window.stop().await?;
    ensure!(machine.machine.hosts()? == as_it_was, "{}", machine.machine.hosts()?);
    ensure!(machine.run_as(BOB, "getent", &["hosts", "other"]).is_err(), "the name is gone");
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await?;
    application.terminate().await
}

#[tokio::test]
async fn refused_nothing_is_changed_and_the_other_mode_is_a_click_away() -> Result<()> {
    let (namespace, desktop) = hers("window-refused", Polkit::Refuses).await?;
    let machine = desktop.machine()?;
    let before = namespace.workload("Deployment", "web").await?;
    let as_it_was = machine.machine.hosts()?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;
    by_names(window).await?;
    window.ask_for_rights().await?;
    let answer = mark("launch-not-granted");
    let told = window.content(&answer, |text| text.contains("Not granted")).await?;
    ensure!(told.contains("nothing was changed") && !told.contains("rror"), "{told}");
    window.find(&mark("foot-helper").with("data-state", "notGranted")).await?;
    window.picture("rights-refused").await?;
    ensure!(namespace.workload("Deployment", "web").await? == before, "the workload was changed");
    namespace.nothing_left().await?;
    ensure!(machine.machine.hosts()? == as_it_was, "{}", machine.machine.hosts()?);

    window.click(&mark("launch-without-rights")).await?;
    window.find(&review("ready")).await?;
    window.connect().await?;
    window.reaches("other").await?;
    ensure!(machine.machine.hosts()? == as_it_was, "this mode does without");
    window.stop().await?;
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await?;
    application.terminate().await
}

#[tokio::test]
async fn a_helper_that_is_killed_in_a_session_is_missed_and_started_again() -> Result<()> {
    let (namespace, desktop) = hers("window-lost", Polkit::Grants).await?;
    let machine = desktop.machine()?;
    let as_it_was = machine.machine.hosts()?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;
    by_names(window).await?;
    window.ask_for_rights().await?;
    let session = window.connected().await?;
    let footer = mark("foot-helper");
    window.find(&footer.clone().with("data-state", "running")).await?;
    let helper = machine.machine.helper_of(&session)?;
    machine.machine.signal("KILL", helper)?;
    window.find(&footer.clone().with("data-state", "lost")).await?;
    window.content(&footer, |text| text.contains("Ended")).await?;
    // What the session has goes on.
    found_by_others(machine).await?;
    window.picture("helper-lost").await?;

    window.click(&footer.clone().child("button")).await?;
    let check = mark("check").with("data-check", "helper");
    window.content(&check, |text| text.contains("has ended while a session uses it")).await?;
    window.picture("helper-lost-diagnostics").await?;
    window.click(&mark("check-action").inside(&check)).await?;
    window.find(&footer.clone().with("data-state", "running")).await?;
    eventually("the session's lines are another helper's", || async {
        Ok((machine.machine.helper_of(&session)? != helper).then_some(()))
    })
    .await?;
    found_by_others(machine).await?;
    window.click(&mark("nav-session").with("data-session", &session)).await?;
    window.stop().await?;
    ensure!(machine.machine.hosts()? == as_it_was, "{}", machine.machine.hosts()?);
    window.find(&footer.with("data-state", "idle")).await?;
    namespace.nothing_left().await?;
    application.terminate().await
}
