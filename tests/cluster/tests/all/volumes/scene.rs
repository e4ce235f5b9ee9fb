//! A workload with every sort of volume, one of them filled by somebody who means no good.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use towline_cluster_tests::app::{HTTP, IMAGE, container, deployment, service};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::{Connected, Finished};

/// Fills `/data` before the container, or the agent, starts.
const FILL: &str = r#"
import os, socket
os.makedirs("/data/reports/2026")
open("/data/reports/2026/jan.csv", "w").write("a,b\n")
open("/data/large", "wb").write(b"x" * 3_000_000)
open(b"/data/odd\nname\xff", "w").write("odd")
os.symlink("/etc/shadow", "/data/shadow")
os.symlink("../../../../../../../../etc/passwd", "/data/up")
os.symlink("reports/../../../etc/passwd", "/data/round")
os.symlink("reports/2026", "/data/latest")
os.symlink("/data/reports/2026/jan.csv", "/data/absolute")
os.link("/data/large", "/data/hard")
os.mkfifo("/data/pipe")
socket.socket(socket.AF_UNIX).bind("/data/socket")
os.mkdir("/data/closed")
open("/data/closed/file", "w").write("x")
os.chmod("/data/closed/file", 0o400)
os.chmod("/data/closed", 0o500)
"#;

/// Deploys it and waits until it runs.
pub(crate) async fn deploy(ns: &Namespace) -> Result<()> {
    let mut main = container(HTTP, 8080);
    main["volumeMounts"] = json!([
        {"name": "settings", "mountPath": "/etc/shop"},
        {"name": "settings", "mountPath": "/etc/towline-test/app.yaml", "subPath": "app.yaml"},
        {"name": "keys", "mountPath": "/etc/shop-keys", "readOnly": true},
        {"name": "mixed", "mountPath": "/var/run/mixed"},
        {"name": "scratch", "mountPath": "/data"},
        {"name": "scratch", "mountPath": "/data-read-only", "readOnly": true},
    ]);
    let with_data = |name: &str, command: Value| {
        json!({
            "name": name, "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": command,
            "volumeMounts": [{"name": "scratch", "mountPath": "/data"}],
        })
    };
    let side = with_data("side", json!(["python3", "-c", "import signal; signal.pause()"]));
    let mut app = deployment("web", 1, &[main, side]);
    let spec = &mut app["spec"]["template"]["spec"];
    spec["initContainers"] = json!([with_data("fill", json!(["python3", "-c", FILL]))]);
    spec["volumes"] = json!([
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "keys", "secret": {"secretName": "keys", "defaultMode": 0o400}},
        {"name": "scratch", "emptyDir": {}},
        {"name": "mixed", "projected": {"sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
            {"configMap": {"name": "settings", "items": [{"key": "greeting", "path": "deep/er/greeting"}]}},
            {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        ]}},
    ]);
    ns.apply([
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
               "data": {"greeting": "hello", "app.yaml": "a: 1\n", "goes": "soon"}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"password": "p'w\n"}}),
        app,
        service("web", 80, "http"),
    ])
    .await?;
    ns.ready("web", 1).await
}

/// Connects, and waits until the session stands; the value besides is the root of the volumes.
pub(crate) async fn connected(ns: &Namespace) -> Result<(Connected, PathBuf)> {
    let mut session = ns.connect(&["deployment/web", "-c", "main"], &[])?;
    let root = root_of(&session.event("connected").await?)?;
    Ok((session, root))
}

/// The root of the volumes, from the event that the session stands.
pub(crate) fn root_of(connected: &Value) -> Result<PathBuf> {
    let env_file = connected["env_file"].as_str().context("an env file")?;
    Ok(Path::new(env_file).with_file_name("root"))
}

/// `towline files ARGUMENTS -o json`; the value is what it printed.
pub(crate) async fn files(ns: &Namespace, arguments: &[&str]) -> Result<Value> {
    let Finished { status, stdout, stderr } = run(ns, arguments).await?;
    ensure!(status.success(), "files {arguments:?}: {status}\n{stdout}{stderr}");
    Ok(serde_json::from_str(&stdout)?)
}

/// The same where it must fail: the exit status and the code.
pub(crate) async fn refused(ns: &Namespace, arguments: &[&str]) -> Result<(i32, String)> {
    let finished = run(ns, arguments).await?;
    ensure!(!finished.status.success(), "files {arguments:?} should fail: {finished:?}");
    let told: Value = serde_json::from_str(&finished.stdout).context(finished.stderr)?;
    let code = told["error"]["code"].as_str().context("a code")?.to_owned();
    Ok((finished.status.code().unwrap_or(-1), code))
}

async fn run(ns: &Namespace, arguments: &[&str]) -> Result<Finished> {
    let all: Vec<&str> =
        ["files"].into_iter().chain(arguments.iter().copied()).chain(["-o", "json"]).collect();
    ns.run(&all).await
}

/// Runs Python beside the agent, in the container that has the same `/data`.
pub(crate) async fn in_the_pod(ns: &Namespace, program: &str) -> Result<String> {
    let pods = ns.pods("web").await?;
    let pod = pods
        .iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_none())
        .find(|pod| {
            pod.metadata.labels.as_ref().is_some_and(|all| all.contains_key("towline.dev/session"))
        })
        .and_then(|pod| pod.metadata.name.clone())
        .context("the agent's pod")?;
    ns.kubectl(&["exec", &pod, "-c", "side", "--", "python3", "-c", program]).await
}
