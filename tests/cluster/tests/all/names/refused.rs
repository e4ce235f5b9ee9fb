//! What stands in the way of names is told before anything is changed.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use towline_cluster_tests::app::service;
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::hosts::OwnHosts;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::setting;
use towline_cluster_tests::towline::run;

#[tokio::test]
async fn the_plan_has_the_lines_and_what_is_in_their_way() -> Result<()> {
    let namespace = Namespace::create("names").await?;
    namespace.http_app("app", 1).await?;
    let taken = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let port = taken.local_addr()?.port();
    namespace.apply([service("busy", port, 8080), service("known", 80, 8080)]).await?;
    let machine = OwnHosts::with("127.0.0.1 localhost\n10.9.8.7 known\n").await?;
    let plan = ["plan", "app", "-n", &namespace.name, "--hosts", "-o", "json"];
    let finished = run(machine.towline(&namespace, &plan)?).await?;
    ensure!(finished.status.code() == Some(2), "{finished:?}");
    let plan: Value = serde_json::from_str(&finished.stdout)?;
    let hosts = plan["hosts"]["hosts"].as_array().context("lines")?;
    let known = hosts.iter().find(|host| host["names"][0] == "known").context("a line")?;
    ensure!(known["address"].as_str().unwrap_or_default().starts_with("127.77."), "{known}");
    let checks = plan["checks"].as_array().context("checks")?;
    let check = |outcome: &str, part: &str| {
        checks.iter().any(|check| {
            check["outcome"] == outcome
                && check["message"].as_str().unwrap_or_default().contains(part)
        })
    };
    ensure!(
        check("blocked", &format!("Port {port} of this machine, which busy.{}", namespace.name)),
        "{checks:?}"
    );
    ensure!(
        check("warning", "known stands in the hosts file already: line 2 leads to 10.9.8.7"),
        "{checks:?}"
    );

    let without = ["plan", "app", "-n", &namespace.name, "--no-admin", "-o", "json"];
    let finished = run(machine.towline(&namespace, &without)?).await?;
    ensure!(finished.status.success(), "{finished:?}");
    ensure!(serde_json::from_str::<Value>(&finished.stdout)?["hosts"].is_null());
    Ok(())
}

#[tokio::test]
async fn without_a_helper_nothing_is_changed() -> Result<()> {
    let namespace = Namespace::create("names").await?;
    namespace.http_app("app", 1).await?;
    let before = namespace.workload("Deployment", "app").await?;
    let machine = OwnHosts::new().await?;
    // A program that has no helper beside it.
    let alone = namespace.home.path().join("towline-alone");
    std::fs::copy(setting("TOWLINE_TEST_CLI")?, &alone)?;
    std::fs::set_permissions(&alone, std::fs::Permissions::from_mode(0o755))?;
    let mapping = format!("http:{}", free_port().await?);
    let mut command = machine.command(&alone)?;
    command.args([
        "connect",
        "app",
        "-n",
        &namespace.name,
        "--hosts",
        "--port",
        &mapping,
        "-o",
        "json",
    ]);
    namespace.surroundings(&mut command)?;
    let finished = run(command).await?;
    ensure!(finished.status.code() == Some(1), "{finished:?}");
    let error: Value = serde_json::from_str(&finished.stdout)?;
    ensure!(error["error"]["code"] == "helper", "{error}");
    ensure!(error["error"]["hint"].as_str().unwrap_or_default().contains("--no-admin"), "{error}");
    ensure!(machine.content()? == towline_cluster_tests::hosts::BEFORE);
    ensure!(namespace.workload("Deployment", "app").await? == before);
    namespace.nothing_left().await
}
