//! However a session ends, the hosts file is what it was.

use anyhow::{Context, Result, ensure};
use towline_cluster_tests::eventually;
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::hosts::{BEFORE, OwnHosts};
use towline_cluster_tests::namespace::Namespace;

#[tokio::test]
async fn a_killed_towline_leaves_nothing_in_the_hosts_file() -> Result<()> {
    let namespace = Namespace::create("names").await?;
    namespace.http_app("app", 1).await?;
    let before = namespace.workload("Deployment", "app").await?;
    let machine = OwnHosts::new().await?;
    let mapping = format!("http:{}", free_port().await?);
    let arguments = ["app", "--port", &mapping, "--lease", "5s"];

    // At the first step that changes something, and when all stands.
    for stage in ["names", "connected"] {
        let mut session = machine.connect(&namespace, &arguments, &[])?;
        match stage {
            "connected" => drop(session.event("connected").await?),
            step => {
                session.step(step).await?;
                session.event("names_changed").await?;
            }
        }
        ensure!(machine.content()? != BEFORE, "{stage}: nothing was written");
        session.signal("KILL")?;
        session.end().await?;
        eventually("the hosts file is what it was", || async {
            Ok((machine.content()? == BEFORE).then_some(()))
        })
        .await
        .with_context(|| stage.to_owned())?;
    }
    namespace.comes_back("Deployment", "app", &before, 1).await
}

#[tokio::test]
async fn a_helper_that_is_killed_is_replaced() -> Result<()> {
    let namespace = Namespace::create("names").await?;
    namespace.http_app("app", 1).await?;
    namespace.http_app("other", 1).await?;
    let machine = OwnHosts::new().await?;
    let mapping = format!("http:{}", free_port().await?);
    let mut session = machine.connect(&namespace, &["app", "--port", &mapping], &[])?;
    session.event("connected").await?;
    let written = machine.content()?;
    let helper = written
        .split_once("helper=")
        .and_then(|(_, rest)| rest.split_once(':'))
        .map(|(pid, _)| pid.to_owned())
        .context("the helper's process")?;
    let status = std::process::Command::new("kill").args(["-s", "KILL", &helper]).status()?;
    ensure!(status.success());
    session
        .find("warning", |event| {
            event["message"].as_str().unwrap_or_default().contains("another has taken its place")
        })
        .await?;
    let now = machine.content()?;
    ensure!(now.lines().count() == written.lines().count() && now != written, "{now}");
    ensure!(machine.get("http://other/").await?.starts_with("cluster other-"));
    session.stop().await?;
    ensure!(machine.content()? == BEFORE, "{}", machine.content()?);
    Ok(())
}
