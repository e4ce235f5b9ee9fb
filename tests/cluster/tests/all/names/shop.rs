//! The sample application by name, from the session's program and from any other.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use towline_cluster_tests::eventually;
use towline_cluster_tests::here::{free_port, source};
use towline_cluster_tests::hosts::{BEFORE, OwnHosts};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::shop::{deploy, gateway, shop};
use towline_cluster_tests::towline::{Connected, run};

/// As any client in a pod asks the API server for its version: by the environment, TLS verified. Prints the name that was verified.
const API_SERVER: &str = r#"
import json, os, ssl, urllib.request
host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
trusted = ssl.create_default_context(cafile=os.environ["TOWLINE_KUBERNETES_CA"])
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted))
version = json.load(opener.open(f"https://{host}:{port}/version", timeout=20))
print(host, port, version["major"])
"#;

#[tokio::test]
async fn the_shop_by_its_own_names() -> Result<()> {
    let namespace = Namespace::create("names").await?;
    deploy(&namespace).await?;
    let before = namespace.workload("Deployment", "orders").await?;
    let machine = OwnHosts::new().await?;

    let port = free_port().await?.to_string();
    let program = shop().join("orders.py").display().to_string();
    // Without its variables the program asks for `catalogue`, port 80, and `redis`, port 6379.
    let without = ["CATALOGUE", "REDIS"]
        .map(|service| ["HOST", "PORT"].map(|part| format!("--unset={service}_SERVICE_{part}")));
    let mut command = vec!["env"];
    command.extend(without.iter().flatten().map(String::as_str));
    let local_port = format!("PORT={port}");
    command.extend([local_port.as_str(), "python3", &program]);
    let mapping = format!("http:{port}");
    let mut session = machine.connect(&namespace, &["orders", "--port", &mapping], &command)?;
    let connected = session.event("connected").await?;

    the_program_serves(&namespace).await?;
    others_see_the_same(&machine, &namespace).await?;
    the_api_server(&machine, &connected).await?;
    told_by_commands(&machine, &namespace).await?;

    session.stop().await?;
    ensure!(
        machine.content()? == BEFORE,
        "the hosts file is not what it was:\n{}",
        machine.content()?
    );
    ensure!(machine.look_up("catalogue").await?.is_empty(), "a name is left");
    ensure!(
        namespace.workload("Deployment", "orders").await? == before,
        "orders is not what it was"
    );
    namespace.nothing_left().await
}

async fn the_program_serves(namespace: &Namespace) -> Result<()> {
    let order = eventually("an order through the local program", || async {
        let order =
            gateway(namespace, "/orders", Some(r#"{"product": "coffee", "quantity": 3}"#)).await?;
        ensure!(order["id"].is_number(), "{order}");
        Ok(Some(order))
    })
    .await?;
    let priced_by = order["priced_by"]["host"].as_str().unwrap_or_default();
    ensure!(
        priced_by.starts_with("catalogue-"),
        "the price came from the cluster, by name: {order}"
    );
    ensure!(order["served_by"]["edition"] == "sandbox", "{order}");
    Ok(())
}

/// A program that Towline has not started.
async fn others_see_the_same(machine: &OwnHosts, namespace: &Namespace) -> Result<()> {
    let home = &namespace.name;
    let names = [
        "catalogue".to_owned(),
        format!("catalogue.{home}"),
        format!("catalogue.{home}.svc"),
        format!("catalogue.{home}.svc.cluster.local"),
    ];
    let mut found = Vec::new();
    for name in &names {
        let addresses = machine.look_up(name).await?;
        ensure!(
            addresses.len() == 1 && addresses[0].starts_with("127.77."),
            "{name}: {addresses:?}"
        );
        let answer = machine.get(&format!("http://{name}:8080/products/tea")).await?;
        ensure!(answer.contains("catalogue-"), "{name}: {answer}");
        found.extend(addresses);
    }
    found.dedup();
    ensure!(found.len() == 1, "one service has one address: {found:?}");
    ensure!(machine.look_up("redis").await? != found, "another service has another");
    let gateway = machine.get("http://gateway/").await?;
    ensure!(gateway.contains("greeter"), "80 is 80: {gateway}");
    for pod in ["catalogue-0", "catalogue-1"] {
        let answer = machine.get(&format!("http://{pod}.catalogue:8080/products/tea")).await?;
        ensure!(answer.contains(pod), "a pod by its own name: {answer}");
    }
    ensure!(machine.look_up("printer").await? == ["10.1.2.3"], "the user's own line still counts");
    let ping = "import socket; s = socket.create_connection(('redis', 6379), 20); s.sendall(b'PING\\r\\n'); print(s.recv(64))";
    let pong = machine.python(ping, &[]).await?;
    ensure!(pong.contains("NOAUTH") || pong.contains("PONG"), "Redis: {pong}");
    Ok(())
}

async fn the_api_server(machine: &OwnHosts, connected: &Value) -> Result<()> {
    let env_file = PathBuf::from(connected["env_file"].as_str().context("an env file")?);
    let variables = source(&env_file).await?;
    let value =
        |name: &str| variables.get(std::ffi::OsStr::new(name)).and_then(|value| value.to_str());
    let catalogue = machine.look_up("catalogue").await?;
    ensure!(
        value("CATALOGUE_SERVICE_HOST") == catalogue.first().map(String::as_str),
        "{catalogue:?}"
    );
    ensure!(value("CATALOGUE_SERVICE_PORT") == Some("8080"), "its own port");
    let mut python = machine.command("python3")?;
    let output = python.args(["-c", API_SERVER]).envs(&variables).output().await?;
    let told = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(told.trim() == "kubernetes.default.svc 443 1", "{told}{said}");
    Ok(())
}

async fn told_by_commands(machine: &OwnHosts, namespace: &Namespace) -> Result<()> {
    let dns = run(machine.towline(namespace, &["dns", "--test", "-o", "json"])?).await?;
    ensure!(dns.status.success(), "{dns:?}");
    let rows: Vec<Value> = serde_json::from_str(&dns.stdout)?;
    ensure!(rows.iter().all(|row| row["test"]["outcome"] == "ok"), "{rows:?}");
    let redis = rows.iter().find(|row| row["names"][0] == "redis").context("redis")?;
    ensure!(
        redis["port"] == 6379 && redis["local"].as_str().unwrap_or_default().ends_with(":6379"),
        "{redis}"
    );
    let env = run(machine.towline(namespace, &["env", "orders", "-o", "json"])?).await?;
    let variables: Vec<Value> = serde_json::from_str(&env.stdout)?;
    let host = variables
        .iter()
        .find(|variable| variable["name"] == "KUBERNETES_SERVICE_HOST")
        .context("a host")?;
    ensure!(host["value"] == "kubernetes.default.svc", "{host}");
    let none = run(machine.towline(namespace, &["dns", "nobody"])?).await?;
    ensure!(none.status.code() == Some(2) && none.stderr.contains("nobody"), "{none:?}");
    Ok(())
}

#[tokio::test]
async fn two_sessions_share_a_machine() -> Result<()> {
    let namespace = Namespace::create("names").await?;
    namespace.http_app("first", 1).await?;
    namespace.http_app("second", 1).await?;
    namespace.http_app("third", 1).await?;
    let machine = OwnHosts::new().await?;
    let connect = async |target: &str| -> Result<Connected> {
        let local = free_port().await?;
        let mut session =
            machine.connect(&namespace, &[target, "--port", &format!("http:{local}")], &[])?;
        session.event("connected").await?;
        Ok(session)
    };
    let mut first = connect("first").await?;
    let (third, alone) = (machine.look_up("third").await?, machine.content()?);
    let mut second = connect("second").await?;
    ensure!(machine.get("http://third/").await?.starts_with("cluster third-"));
    ensure!(
        machine.look_up("third").await?.first() == third.first(),
        "the first session's line counts"
    );

    let several = run(machine.towline(&namespace, &["dns"])?).await?;
    ensure!(
        several.status.code() == Some(2) && several.stderr.contains("several sessions"),
        "{several:?}"
    );

    first.stop().await?;
    let second_alone = machine.content()?;
    ensure!(
        second_alone.starts_with(BEFORE) && second_alone.lines().count() == alone.lines().count()
    );
    ensure!(
        machine.get("http://third/").await?.starts_with("cluster third-"),
        "now by the second's line"
    );
    ensure!(machine.look_up("third").await? != third, "which leads to an address of its own");
    second.stop().await?;
    ensure!(machine.content()? == BEFORE, "{}", machine.content()?);
    Ok(())
}
