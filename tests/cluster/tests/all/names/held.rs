//! Somebody else listens where a service always has its address: it gets another one.

use std::net::{IpAddr, TcpListener};

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Service;
use kube::api::DeleteParams;
use serde_json::Value;
use towline_cluster_tests::app::service;
use towline_cluster_tests::eventually;
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::hosts::{BEFORE, OwnHosts};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::run;

/// The address that the plan gives a service.
async fn planned(machine: &OwnHosts, namespace: &Namespace, name: &str) -> Result<IpAddr> {
    let plan = ["plan", "app", "-n", &namespace.name, "--hosts", "-o", "json"];
    let finished = run(machine.towline(namespace, &plan)?).await?;
    ensure!(finished.status.success(), "{finished:?}");
    let plan: Value = serde_json::from_str(&finished.stdout)?;
    let hosts = plan["hosts"]["hosts"].as_array().context("lines")?;
    let host = hosts.iter().find(|host| host["names"][0] == name).context("a line")?;
    Ok(host["address"].as_str().context("an address")?.parse()?)
}

#[tokio::test]
async fn a_service_whose_address_is_held_has_another_and_everything_says_which() -> Result<()> {
    let namespace = Namespace::create("names-held").await?;
    futures::try_join!(namespace.http_app("app", 1), namespace.http_app("backend", 1))?;
    let (port, later_port) = (free_port().await?, free_port().await?);
    let mut later = service("later", later_port, 8080);
    later["spec"]["selector"]["app"] = "backend".into();
    let mut held = service("held", port, 8080);
    held["spec"]["selector"]["app"] = "backend".into();
    namespace.apply([held, later.clone()]).await?;
    let machine = OwnHosts::new().await?;

    let usual = planned(&machine, &namespace, "held").await?;
    let usual_later = planned(&machine, &namespace, "later").await?;
    namespace.api::<Service>().delete("later", &DeleteParams::default()).await?;
    // Nothing in the hosts file tells of these.
    let _held = TcpListener::bind((usual, port))?;
    let _later = TcpListener::bind((usual_later, later_port))?;
    let other = planned(&machine, &namespace, "held").await?;
    ensure!(other != usual, "the plan has the address that is held");
    ensure!(planned(&machine, &namespace, "held").await? == other, "it is not stable");

    let mapping = format!("http:{}", free_port().await?);
    let arguments = ["deployment/app", "--port", &mapping];
    let mut session = machine.connect(&namespace, &arguments, &[])?;
    session.event("connected").await?;
    let (full, local) = (format!("held.{}", namespace.name), format!("{other}:{port}"));
    let opened = |event: &Value| event["service"] == full.as_str();
    let added = session.find("service_added", opened).await?;
    ensure!(added["local"] == local.as_str(), "{added}");
    ensure!(machine.look_up("held").await? == [other.to_string()]);
    let answer = machine.get(&format!("http://held:{port}/")).await?;
    ensure!(answer.starts_with("cluster backend-"), "{answer}");

    // One that comes when the session is connected.
    namespace.apply([later]).await?;
    let found = eventually("the later service's name", || async {
        Ok(machine.look_up("later").await?.pop())
    });
    let found = found.await.with_context(|| session.told())?;
    ensure!(
        found.starts_with("127.77.") && found != usual_later.to_string(),
        "{found}, and {usual_later} is held"
    );
    let dns = run(machine.towline(&namespace, &["dns", "-o", "json"])?).await?;
    let rows: Vec<Value> = serde_json::from_str(&dns.stdout)?;
    for (name, local) in [("held", local), ("later", format!("{found}:{later_port}"))] {
        let row = rows.iter().find(|row| row["names"][0] == name).context("a row")?;
        ensure!(row["local"] == local.as_str(), "{row}");
    }
    session.stop().await?;
    ensure!(machine.content()? == BEFORE, "{}", machine.content()?);
    Ok(())
}
