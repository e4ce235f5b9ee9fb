//! From the local program to the cluster: every TCP port of every service has a listener on this machine.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::{Secret, Service, ServiceAccount};
use serde_json::{Value, json};
use tokio::process::Command;
use towline_cluster_tests::app::{HTTP, container, deployment, service};
use towline_cluster_tests::carry::Route;
use towline_cluster_tests::eventually;
use towline_cluster_tests::here::{Answering, source};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::peer::{self, MODES, Side};
use towline_cluster_tests::towline::Connected;

type Variables = BTreeMap<OsString, OsString>;

/// A service in front of the peer's pods.
fn in_front_of_peer(name: &str, ports: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": "peer"}, "ports": ports},
    })
}

/// The target, a peer, and the services in front of it: with a cluster address, headless, without endpoints, by another name.
async fn apply_services(namespace: &Namespace) -> Result<()> {
    let modes: Vec<Value> = MODES
        .iter()
        .map(|(mode, port)| json!({"name": mode, "port": port + 1000, "targetPort": mode}))
        .collect();
    let mut headless =
        in_front_of_peer("pods", json!([{"name": "echo", "port": 7007, "targetPort": 7007}]));
    headless["spec"]["clusterIP"] = "None".into();
    let mut nobody = service("nobody", 80, 8080);
    nobody["spec"]["selector"] = json!({"app": "nobody"});
    let alias = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "alias"},
        "spec": {
            "type": "ExternalName", "externalName": format!("peer.{}.svc.cluster.local", namespace.name),
            "ports": [{"name": "echo", "port": 8007}],
        },
    });
    namespace
        .apply([
            deployment("app", 1, &[container(HTTP, 8080)]),
            service("app", 80, "http"),
            deployment("peer", 1, &[peer::container("main", &MODES)]),
            in_front_of_peer("peer", modes.into()),
            headless,
            nobody,
            alias,
        ])
        .await?;
    namespace.ready("app", 1).await?;
    namespace.ready("peer", 1).await
}

/// The local address that stands for a service's port.
async fn listener(
    session: &mut Connected,
    namespace: &Namespace,
    service: &str,
    port: u16,
) -> Result<SocketAddr> {
    session.listener(&format!("{service}.{}", namespace.name), port, "TCP").await
}

/// The way from this machine to every mode of the service `peer`.
async fn to_peer(session: &mut Connected, namespace: &Namespace) -> Result<Route> {
    let mut ports = Vec::new();
    for (mode, port) in MODES {
        ports.push((mode, listener(session, namespace, "peer", port + 1000).await?.port()));
    }
    Ok(Route::new(Side::Here, "127.0.0.1", ports))
}

/// One echo through a listener.
async fn echoes(to: SocketAddr) -> Result<()> {
    Route::new(Side::Here, &to.ip().to_string(), [("echo", to.port())])
        .many(1)
        .await
        .with_context(|| format!("through {to}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_protocol_arrives_unharmed() -> Result<()> {
    let namespace = Namespace::create("outbound").await?;
    apply_services(&namespace).await?;
    let local = Answering::anywhere("local").await?;
    let mut session =
        namespace.connect(&["deployment/app", "--port", &local.mapped("http")], &[])?;
    session.event("connected").await?;

    let route = to_peer(&mut session, &namespace).await?;
    route.protocols().await?;
    route.load(&session).await.with_context(|| session.told())?;

    session.stop().await?;
    namespace.nothing_left().await
}

#[tokio::test]
async fn every_service_has_its_listener() -> Result<()> {
    let (namespace, other) =
        futures::future::try_join(Namespace::create("outbound-a"), Namespace::create("outbound-b"))
            .await?;
    let elsewhere = async {
        let echo = [("echo", 7007)];
        let ports = json!([{"name": "echo", "port": 7, "targetPort": "echo"}]);
        other
            .apply([
                deployment("peer", 1, &[peer::container("main", &echo)]),
                in_front_of_peer("peer", ports),
            ])
            .await?;
        other.ready("peer", 1).await
    };
    futures::future::try_join(apply_services(&namespace), elsewhere).await?;

    let local = Answering::anywhere("local").await?;
    let namespaces = format!("{},{}", namespace.name, other.name);
    let arguments =
        ["deployment/app", "--port", &local.mapped("http"), "--namespaces", &namespaces];
    let mut session = namespace.connect(&arguments, &[])?;
    let connected = session.event("connected").await?;
    let env_file = PathBuf::from(connected["env_file"].as_str().context("an env file")?);

    echoes(listener(&mut session, &namespace, "peer", 8007).await?).await?;
    echoes(listener(&mut session, &namespace, "pods", 7007).await?)
        .await
        .context("a headless service")?;
    echoes(listener(&mut session, &namespace, "alias", 8007).await?)
        .await
        .context("an ExternalName")?;
    echoes(listener(&mut session, &other, "peer", 7).await?)
        .await
        .context("a service of another namespace")?;

    // The target's own service leads through the cluster and back to the local program.
    let own = listener(&mut session, &namespace, "app", 80).await?;
    ensure!(get(own).await? == "local", "the target's own service");

    // Nobody behind the service: refused at once, and told.
    let nobody = listener(&mut session, &namespace, "nobody", 80).await?;
    Route::new(Side::Here, "127.0.0.1", [("nobody", nobody.port())]).refused("nobody").await?;
    let to = format!("nobody.{}:80", namespace.name);
    session.find("dial_failed", |event| event["to"] == to.as_str()).await?;

    service_variables(&mut session, &namespace, &source(&env_file).await?).await?;
    the_api_server(&namespace, &env_file).await?;

    // Live: a service that comes, goes, and comes back on the same local port.
    let late =
        in_front_of_peer("late", json!([{"name": "echo", "port": 7007, "targetPort": "echo"}]));
    namespace.apply([late.clone()]).await?;
    let address = listener(&mut session, &namespace, "late", 7007).await?;
    eventually("the late service answers", || async { echoes(address).await.map(Some) }).await?;
    namespace.api::<Service>().delete("late", &Default::default()).await?;
    let name = format!("late.{}", namespace.name);
    session
        .find("service_removed", |event| event["service"] == name.as_str() && event["port"] == 7007)
        .await?;
    Route::new(Side::Here, "127.0.0.1", [("late", address.port())]).refused("late").await?;
    namespace.apply([late]).await?;
    let again = session.event("service_added").await?;
    ensure!(
        again["service"] == name.as_str() && again["local"] == address.to_string(),
        "another address than {address}: {again}"
    );

    session.stop().await?;
    ensure!(!env_file.exists(), "{} is still there", env_file.display());
    namespace.nothing_left().await
}

/// The body of a GET from this machine.
async fn get(address: SocketAddr) -> Result<String> {
    let url = format!("http://{address}/");
    let output = Command::new("curl").args(["-s", "-S", "--max-time", "10", &url]).output().await?;
    ensure!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// The service variables all lead to the listeners: those that Kubernetes makes, and those for the services that it makes none for.
async fn service_variables(
    session: &mut Connected,
    namespace: &Namespace,
    variables: &Variables,
) -> Result<()> {
    let is = |name: &str, expected: &str| {
        let seen = variables.get(OsStr::new(name));
        ensure!(
            seen.is_some_and(|seen| seen == expected),
            "{name} is {seen:?}, expected {expected}"
        );
        Ok(())
    };
    // The first port of a service is the one of `_SERVICE_PORT` and `_PORT`, as Kubernetes has it.
    for (service, port, port_name, first) in [
        ("peer", 8001, "banner", true),
        ("peer", 8007, "echo", false),
        ("app", 80, "http", true),
        ("pods", 7007, "echo", true),
        ("alias", 8007, "echo", true),
    ] {
        let local = listener(session, namespace, service, port).await?;
        let (host, number, prefix) =
            (local.ip().to_string(), local.port().to_string(), service.to_uppercase());
        is(&format!("{prefix}_SERVICE_HOST"), &host)?;
        is(&format!("{prefix}_SERVICE_PORT_{}", port_name.to_uppercase()), &number)?;
        if first {
            is(&format!("{prefix}_SERVICE_PORT"), &number)?;
        }
        if ["pods", "alias"].contains(&service) {
            continue; // Without a cluster address Kubernetes makes no variables; Towline adds those above.
        }
        let of_port = format!("{prefix}_PORT_{port}_TCP");
        is(&of_port, &format!("tcp://{local}"))?;
        is(&format!("{of_port}_PROTO"), "tcp")?;
        is(&format!("{of_port}_ADDR"), &host)?;
        is(&format!("{of_port}_PORT"), &number)?;
        if first {
            is(&format!("{prefix}_PORT"), &format!("tcp://{local}"))?;
        }
    }
    Ok(())
}

/// A program that knows nothing but its environment asks the API server, with TLS verified and the token of the pod's service account.
async fn the_api_server(namespace: &Namespace, env_file: &Path) -> Result<()> {
    const ASK: &str = r#"
import json, os, ssl, sys, urllib.request
context = ssl.create_default_context(cafile=os.environ["TOWLINE_KUBERNETES_CA"])
host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
assert port == os.environ["KUBERNETES_SERVICE_PORT_HTTPS"]
request = urllib.request.Request(f"https://{host}:{port}/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", method="POST")
request.add_header("Authorization", "Bearer " + os.environ["TOKEN"])
request.add_header("Content-Type", "application/json")
body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": "default"}}
with urllib.request.urlopen(request, json.dumps(body).encode(), timeout=20, context=context) as answer:
    print(json.load(answer)["kind"])
# Another authority is not accepted: the verification is a real one.
try:
    urllib.request.urlopen(f"https://{host}:{port}/version", timeout=20, context=ssl.create_default_context())
except urllib.error.URLError as error:
    print(isinstance(error.reason, ssl.SSLCertVerificationError))
"#;
    let account = namespace.api::<ServiceAccount>().get("default").await?;
    let secret = account
        .secrets
        .and_then(|mut secrets| secrets.pop())
        .and_then(|secret| secret.name)
        .context("a secret")?;
    let mut data = namespace.api::<Secret>().get(&secret).await?.data.context("data")?;
    let token = String::from_utf8(data.remove("token").context("a token")?.0)?;
    let output = Command::new("python3")
        .args(["-c", ASK])
        .env_clear()
        .envs(source(env_file).await?)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TOKEN", token)
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        text.trim() == "SelfSubjectRulesReview\nTrue",
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
