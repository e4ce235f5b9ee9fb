//! From the cluster to the local program: a caller in the cluster uses the service, and the developer's machine answers.

use std::net::{IpAddr, Ipv6Addr};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use towline_cluster_tests::app::{self, HTTP, container, deployment, service};
use towline_cluster_tests::carry::Route;
use towline_cluster_tests::h2c::{Http2, UPLOAD, upload};
use towline_cluster_tests::here::{Answering, free_port};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::peer::{MODES, Peer, Side, call};
use towline_cluster_tests::{eventually, node};

/// A service in front of `app: NAME` with these ports, each to the same number, whether a container declares it or not.
fn service_with(name: &str, ports: &[(&str, u16)]) -> Value {
    let ports: Vec<Value> = ports
        .iter()
        .map(|(name, port)| json!({"name": name, "port": port, "targetPort": port}))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": ports},
    })
}

/// A program's output, which must be one JSON value.
fn json_output(stdout: &str) -> Result<Value> {
    serde_json::from_str(stdout).with_context(|| format!("no JSON: {stdout}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_protocol_arrives_unharmed() -> Result<()> {
    let namespace = Namespace::create("inbound").await?;
    let extra = [("h2c", 7101), ("tls", 7102)];
    let ports = [&MODES[..], &extra].concat();
    namespace
        .apply([deployment("app", 1, &[container(HTTP, 8080)]), service_with("app", &ports)])
        .await?;

    let directory = tempfile::tempdir()?;
    let certificate = self_signed(directory.path()).await?;
    let modes: Vec<(&str, u16)> =
        MODES.iter().map(|(mode, _)| (*mode, 0)).chain([("tls", 0)]).collect();
    let peer = Peer::start("127.0.0.1", &modes, &[("PEER_CERTIFICATE", &certificate)]).await?;
    let http2 = Http2::start().await?;
    namespace.ready("app", 1).await?;
    let before = namespace.workload("Deployment", "app").await?;

    let local = |mode: &str| if mode == "h2c" { http2.address.port() } else { peer.port(mode) };
    let mappings: Vec<String> =
        ports.iter().map(|(mode, port)| format!("--port={port}:{}", local(mode))).collect();
    let arguments: Vec<&str> =
        ["service/app"].into_iter().chain(mappings.iter().map(String::as_str)).collect();
    let mut session = namespace.connect(&arguments, &[])?;
    session.event("connected").await?;

    let host = namespace.cluster_ip("app").await?;
    let route = Route::new(Side::Cluster, &host, ports);
    route.protocols().await?;

    let arguments = upload(&format!("http://{host}:7101/"));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = node::command("curl", &arguments)?.output().await?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(text == format!("HTTP/2.0 {UPLOAD}"), "HTTP/2: {text} {output:?}");

    let seen = call(Side::Cluster, &host, 7102, "tls", std::slice::from_ref(&certificate)).await?;
    ensure!(seen["echo"] == "secret", "TLS passed through: {seen}");
    ensure!(
        seen["certificate"] == fingerprint(&certificate).await?.as_str(),
        "the local program's own certificate: {seen}"
    );

    route.load(&session).await.with_context(|| session.told())?;

    session.stop().await?;
    ensure!(
        namespace.workload("Deployment", "app").await? == before,
        "the workload is not what it was"
    );
    namespace.ready("app", 1).await?;
    namespace.nothing_left().await
}

/// Makes a certificate for `localhost` with its key, in one file; gives its path.
async fn self_signed(directory: &std::path::Path) -> Result<String> {
    let path = directory.join("certificate.pem").display().to_string();
    let output = tokio::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args([
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            &path,
            "-out",
            &format!("{path}.crt"),
        ])
        .output()
        .await?;
    ensure!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    let both =
        [tokio::fs::read(&path).await?, tokio::fs::read(format!("{path}.crt")).await?].concat();
    tokio::fs::write(&path, both).await?;
    Ok(path)
}

/// The SHA-256 of a certificate, in hexadecimal.
async fn fingerprint(path: &str) -> Result<String> {
    let arguments = ["x509", "-in", path, "-noout", "-fingerprint", "-sha256"];
    let output = tokio::process::Command::new("openssl").args(arguments).output().await?;
    let text = String::from_utf8(output.stdout)?;
    let (_, hex) = text.trim().split_once('=').context("a fingerprint")?;
    Ok(hex.replace(':', "").to_lowercase())
}

#[tokio::test]
async fn ports_are_taken_by_name_by_number_and_undeclared() -> Result<()> {
    let namespace = Namespace::create("inbound-ports").await?;
    let same = free_port().await?;
    let silent = free_port().await?;
    let mut main = container(HTTP, 8080);
    main["ports"] =
        json!([{"name": "http", "containerPort": 8080}, {"name": "same", "containerPort": same}]);
    let mut in_front = service("app", 80, "http");
    in_front["spec"]["ports"] = json!([
        {"name": "http", "port": 80, "targetPort": "http"},
        {"name": "same", "port": 81, "targetPort": same},
        {"name": "undeclared", "port": 82, "targetPort": 7777},
        {"name": "silent", "port": 83, "targetPort": silent},
    ]);
    namespace.apply([deployment("app", 1, &[main]), in_front]).await?;
    namespace.ready("app", 1).await?;
    let before = namespace.workload("Deployment", "app").await?;

    let (by_name, by_number) =
        (Answering::anywhere("by name").await?, Answering::anywhere("undeclared").await?);
    // Unmapped: the local port has the same number; and here it is on the IPv6 loopback alone.
    let _same = Answering::start((IpAddr::from(Ipv6Addr::LOCALHOST), same), "on [::1]").await?;
    let (name, number) = (by_name.mapped("http"), by_number.mapped(7777));

    let target = ["app", "-n", &namespace.name, "--port", &name, "--port", &number];
    let plan = namespace.run(&[&["plan", "-o", "json"], &target[..]].concat()).await?;
    ensure!(plan.status.success(), "{plan:?}");
    let mut inbound: Vec<(u64, u64)> = json_output(&plan.stdout)?["inbound"]
        .as_array()
        .context("inbound ports in the plan")?
        .iter()
        .map(|port| (port["remote"].as_u64().unwrap_or(0), port["local"].as_u64().unwrap_or(0)))
        .collect();
    inbound.sort_unstable();
    let mut expected = vec![
        (8080, by_name.address.port().into()),
        (same.into(), same.into()),
        (7777, by_number.address.port().into()),
        (silent.into(), silent.into()),
    ];
    expected.sort_unstable();
    ensure!(inbound == expected, "the plan's inbound ports: {inbound:?}, expected {expected:?}");

    let mut session = namespace.connect(&["app", "--port", &name, "--port", &number], &[])?;
    session.event("connected").await?;
    let host = namespace.cluster_ip("app").await?;
    for (port, expected) in [(80, "by name"), (81, "on [::1]"), (82, "undeclared")] {
        node::answers(&format!("http://{host}:{port}/"), expected).await?;
    }

    // Nothing listens: reset at once, told once; then something does.
    let route = Route::new(Side::Cluster, &host, [("silent", 83)]);
    route.refused("silent").await?;
    let told = session.find("local_port_silent", |event| event["remote"] == silent).await?;
    ensure!(
        told["local"] == silent && told["reason"].as_str().is_some_and(|text| !text.is_empty()),
        "{told}"
    );
    route.refused("silent").await?;
    let late = Answering::start((std::net::Ipv4Addr::LOCALHOST, silent), "late").await?;
    node::answers(&format!("http://{host}:83/"), "late").await?;
    session.find("local_port_answers", |event| event["remote"] == silent).await?;
    let silences =
        session.seen().iter().filter(|event| event["event"] == "local_port_silent").count();
    ensure!(
        silences == 1,
        "told {silences} times that the local port is silent\n{}",
        session.told()
    );
    drop(late);

    session.stop().await?;
    ensure!(
        namespace.workload("Deployment", "app").await? == before,
        "the workload is not what it was"
    );
    node::answers_like(&format!("http://{host}:80/"), |answer| answer.starts_with("cluster "))
        .await?;
    namespace.nothing_left().await
}

#[tokio::test]
async fn every_replica_is_redirected_also_a_later_one() -> Result<()> {
    let namespace = Namespace::create("inbound-replicas").await?;
    namespace.http_app("app", 3).await?;
    let mut expected = namespace.workload("Deployment", "app").await?;
    let local = Answering::anywhere("local").await?;
    let mut session =
        namespace.connect(&["deployment/app", "--port", &local.mapped("http")], &[])?;
    let connected = session.event("connected").await?;
    ensure!(connected["pods"].as_array().is_some_and(|pods| pods.len() == 3), "{connected}");
    every_pod_answers(&namespace, 3).await?;

    scale(&namespace, 4).await?;
    every_pod_answers(&namespace, 4).await?;
    let up = session.seen().iter().filter(|event| event["event"] == "tunnel_up").count();
    ensure!(up >= 4, "{up} tunnels for 4 pods\n{}", session.told());

    // The scaling was somebody else's change: it stays.
    expected["spec"]["replicas"] = 4.into();
    session.stop().await?;
    namespace.ready("app", 4).await?;
    let after = namespace.workload("Deployment", "app").await?;
    ensure!(after == expected, "the workload is {after}, expected {expected}");
    for pod in namespace.pods("app").await? {
        let ip = pod.status.and_then(|status| status.pod_ip).context("a pod's address")?;
        let answer = node::get(&format!("http://{ip}:8080/")).await?;
        ensure!(answer.starts_with("cluster "), "still answered by '{answer}'");
    }
    namespace.nothing_left().await
}

async fn scale(namespace: &Namespace, replicas: u32) -> Result<()> {
    let deployments = namespace.api::<k8s_openapi::api::apps::v1::Deployment>();
    let patch = kube::api::Patch::Merge(json!({"spec": {"replicas": replicas}}));
    deployments.patch_scale("app", &kube::api::PatchParams::default(), &patch).await?;
    Ok(())
}

/// Waits until `count` pods are Ready, and each of them, asked at its own address, answers from the developer's machine.
async fn every_pod_answers(namespace: &Namespace, count: usize) -> Result<()> {
    eventually(&format!("{count} pods, each answered by the local program"), || async {
        let pods = namespace.pods("app").await?;
        let ready: Vec<_> = pods.iter().filter(|pod| app::is_ready(pod)).collect();
        ensure!(
            ready.len() == count && pods.len() == count,
            "{} of {} pods are ready",
            ready.len(),
            pods.len()
        );
        try_join_all(ready.iter().map(|pod| async {
            let ip = pod
                .status
                .as_ref()
                .and_then(|status| status.pod_ip.as_ref())
                .context("a pod's address")?;
            let answer = node::get(&format!("http://{ip}:8080/")).await?;
            ensure!(answer == "local", "{ip} is answered by '{answer}'");
            anyhow::Ok(())
        }))
        .await?;
        Ok(Some(()))
    })
    .await
}

#[tokio::test]
async fn of_two_containers_the_meant_one_is_replaced() -> Result<()> {
    let namespace = Namespace::create("inbound-two").await?;
    let web = container(HTTP, 8080);
    let mut side = container(HTTP, 9000);
    side["name"] = "side".into();
    side["ports"] = json!([{"name": "metrics", "containerPort": 9000}]);
    side["readinessProbe"]["tcpSocket"]["port"] = "metrics".into();
    let mut pods = deployment("app", 1, &[web, side]);
    let mut metrics = service("metrics", 90, "metrics");
    metrics["spec"]["selector"] = json!({"app": "app"});
    namespace.apply([pods.clone(), service("app", 80, "http"), metrics]).await?;
    namespace.ready("app", 1).await?;
    let before = namespace.workload("Deployment", "app").await?;

    let planned = |target: &'static [&'static str]| {
        let namespace = &namespace;
        async move {
            let all = [&["plan", "-n", &namespace.name, "-o", "json"], target].concat();
            let output = namespace.run(&all).await?;
            ensure!(output.status.success(), "plan {target:?}: {output:?}");
            json_output(&output.stdout)
        }
    };
    for (target, expected) in [
        (&["service/app"][..], "main"),
        (&["service/metrics"], "side"),
        (&["deployment/app", "--container", "side"], "side"),
        (&["deployment/app", "--port", "metrics:9999"], "side"),
    ] {
        let plan = planned(target).await?;
        ensure!(plan["container"] == expected, "{target:?}: {plan}");
    }
    for (target, named) in [
        (&["deployment/app"][..], ["main", "side"]),
        (&["deployment/app", "--container", "other"], ["other", "main"]),
    ] {
        let all = [&["plan", "-n", &namespace.name, "-o", "json"], target].concat();
        namespace.run(&all).await?.refused("container_unknown", 2, &named)?;
    }

    let local = Answering::anywhere("local").await?;
    let mapping = local.mapped("metrics");
    let mut session =
        namespace.connect(&["deployment/app", "--container", "side", "--port", &mapping], &[])?;
    session.event("connected").await?;
    let (app, metrics) =
        (namespace.cluster_ip("app").await?, namespace.cluster_ip("metrics").await?);
    node::answers(&format!("http://{metrics}:90/"), "local").await?;
    node::answers_like(&format!("http://{app}/"), |answer| answer.starts_with("cluster "))
        .await
        .context("the other container is still the cluster's")?;
    session.stop().await?;
    ensure!(
        namespace.workload("Deployment", "app").await? == before,
        "the workload is not what it was"
    );
    namespace.nothing_left().await?;

    pods["spec"]["template"]["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/default-container": "side"});
    namespace.apply([pods]).await?;
    let plan = planned(&["deployment/app"]).await?;
    ensure!(plan["container"] == "side", "by annotation: {plan}");
    Ok(())
}
