//! However a session ends, the hosts file is what it was.

use anyhow::{Context, Result, ensure};
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::hosts::{BEFORE, OwnHosts};
use towline_cluster_tests::namespace::Namespace;

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
