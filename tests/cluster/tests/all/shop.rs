//! The sample application's own conversation, with `orders.py` on the developer's machine in the place of orders.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;
use towline_cluster_tests::eventually;
use towline_cluster_tests::here::{free_port, source};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::shop::{deploy, gateway, shop};
use towline_cluster_tests::towline::Connected;

#[tokio::test]
async fn local_orders_has_the_shops_conversation() -> Result<()> {
    let namespace = Namespace::create("shop").await?;
    deploy(&namespace).await?;
    let before = namespace.workload("Deployment", "orders").await?;
    let earlier =
        gateway(&namespace, "/orders", Some(r#"{"product": "tea", "quantity": 2}"#)).await?;
    ensure!(earlier["id"] == 1 && earlier["served_by"]["edition"] == "sandbox", "{earlier}");
    let cluster_pod = earlier["served_by"]["pod"].as_str().context("a pod")?.to_owned();
    ensure!(earlier["served_by"]["host"] == cluster_pod.as_str(), "{earlier}");

    let port = free_port().await?.to_string();
    let program = shop().join("orders.py").display().to_string();
    let all = [
        "connect",
        "orders",
        "-n",
        &namespace.name,
        "-o",
        "json",
        "--port",
        &format!("http:{port}"),
        "--",
        "python3",
        &program,
    ];
    let mut command = namespace.towline(&all)?;
    command.env("PORT", &port);
    let mut session = Connected::start(command)?;
    let connected = session.event("connected").await?;
    ensure!(
        connected["pods"].as_array().is_some_and(|pods| pods.len() == 2),
        "both replicas: {connected}"
    );

    local_orders_answers(&namespace, &connected).await?;
    greeter_by_environment(&connected).await?;

    session.stop().await?;
    ensure!(
        namespace.workload("Deployment", "orders").await? == before,
        "orders is not what it was"
    );
    let overview = gateway(&namespace, "/", None).await?;
    let after = &overview["orders"]["served_by"];
    ensure!(
        after["host"].is_string() && after["host"] == after["pod"],
        "orders in the cluster answers again: {overview}"
    );
    // What the local program took is the shop's own.
    let orders = gateway(&namespace, "/orders", None).await?;
    ensure!(orders["orders"].as_array().is_some_and(|orders| orders.len() == 2), "{orders}");
    namespace.nothing_left().await
}

/// The shop's customers get their answers from this machine, which asks the catalogue and Redis in the cluster.
async fn local_orders_answers(namespace: &Namespace, connected: &Value) -> Result<()> {
    let output = Command::new("hostname").output().await?;
    let host = String::from_utf8(output.stdout)?.trim().to_owned();
    // `orders.py` needs a moment to listen: until then the callers are refused.
    eventually("the local orders answers through the gateway", || async {
        let overview = gateway(namespace, "/", None).await?;
        ensure!(overview["orders"]["served_by"]["host"] == host.as_str(), "{overview}");
        Ok(Some(()))
    })
    .await?;
    for _ in 0..4 {
        // The service spreads connections over both replicas: each leads here.
        let overview = gateway(namespace, "/", None).await?;
        let served_by = &overview["orders"]["served_by"];
        ensure!(
            served_by["host"] == host.as_str() && served_by["edition"] == "sandbox",
            "{overview}"
        );
        let pods = connected["pods"].as_array().context("pods")?;
        ensure!(
            pods.contains(&served_by["pod"]),
            "POD_NAME is one of the agents' pods: {overview}"
        );
        ensure!(
            overview["greeter"]["banner"].is_string()
                && overview["catalogue"]["served_by"]["host"].is_string(),
            "{overview}"
        );
    }
    let order =
        gateway(namespace, "/orders", Some(r#"{"product": "coffee", "quantity": 3}"#)).await?;
    ensure!(
        order["id"] == 2
            && order["currency"] == "EUR"
            && order["served_by"]["host"] == host.as_str(),
        "{order}"
    );
    let priced_by = order["priced_by"]["host"].as_str().unwrap_or_default();
    ensure!(
        priced_by.starts_with("catalogue-"),
        "the price came from the catalogue in the cluster: {order}"
    );
    let orders = gateway(namespace, "/orders", None).await?;
    ensure!(
        orders["orders"][0]["id"] == 1 && orders["orders"][1]["id"] == 2,
        "the same Redis: {orders}"
    );
    Ok(())
}

/// The server that speaks first, found by the session's environment.
async fn greeter_by_environment(connected: &Value) -> Result<()> {
    const LISTEN: &str = r#"
import os, socket
with socket.create_connection((os.environ["GREETER_SERVICE_HOST"], int(os.environ["GREETER_SERVICE_PORT"])), 20) as connection:
    print(connection.makefile().readline().strip())
"#;
    let env_file = PathBuf::from(connected["env_file"].as_str().context("an env file")?);
    let variables = source(&env_file).await?;
    let output = Command::new("python3").args(["-c", LISTEN]).envs(variables).output().await?;
    let banner = String::from_utf8_lossy(&output.stdout);
    ensure!(
        banner.starts_with("220 "),
        "the greeter's banner: {banner}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
