//! Files of the pod: a gibibyte, and a config map that changes.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::process::Command;
use towline_cluster_tests::app::{HTTP, IMAGE, container, deployment};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::{LIMIT, eventually};

use crate::figures::{median, verdict};

const GIBIBYTE: u64 = 1 << 30;

/// How often the config map is changed.
const CHANGES: u32 = 3;

/// Writes /data/large before the agent starts: bytes that no compression makes smaller, the same block again and again.
const FILL: &str = r#"
import os
block = os.urandom(1 << 20)
with open("/data/large", "wb") as file:
    for _ in range(1 << 10):
        file.write(block)
"#;

/// Waits, in the pod, until the file has this text, and prints when that was, in seconds since 1970.
const WAIT: &str = r#"
import sys, time
while open("/etc/bench/value").read() != sys.argv[1]:
    time.sleep(0.005)
print(time.time())
"#;

/// Measures both in one session.
pub(super) async fn measure() -> Result<()> {
    let namespace = Namespace::create("bench-volumes").await?;
    deploy(&namespace).await?;
    let mut session = namespace.connect(&["deployment/near", "-c", "main"], &[])?;
    let connected = session.event("connected").await?;
    let env_file = connected["env_file"].as_str().context("an env file")?;
    let root = Path::new(env_file).with_file_name("root");
    let pod = agent(&namespace).await?;

    download(&namespace, &pod, &root).await?;
    refresh(&namespace, &pod, &root.join("etc/bench/value")).await?;
    session.stop().await.map(drop)
}

async fn deploy(namespace: &Namespace) -> Result<()> {
    let data = json!({"name": "data", "mountPath": "/data"});
    let settings = json!({"name": "settings", "mountPath": "/etc/bench"});
    let with = |name: &str, program: &str| {
        json!({
            "name": name, "image": IMAGE, "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "-c", program], "volumeMounts": [data, settings],
        })
    };
    let mut main = container(HTTP, 8080);
    main["volumeMounts"] = json!([data, settings]);
    let mut app = deployment("near", 1, &[main, with("side", "import signal; signal.pause()")]);
    let spec = &mut app["spec"]["template"]["spec"];
    spec["initContainers"] = json!([with("fill", FILL)]);
    spec["volumes"] = json!([
        {"name": "data", "emptyDir": {}},
        {"name": "settings", "configMap": {"name": "settings"}},
    ]);
    namespace
        .apply([
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"value": "0"}}),
            app,
        ])
        .await?;
    namespace.ready("near", 1).await
}

/// The pod that the agent is in.
async fn agent(namespace: &Namespace) -> Result<String> {
    eventually("one pod of the session", || async {
        let pods = namespace.pods("near").await?;
        let stays = |pod: &&k8s_openapi::api::core::v1::Pod| {
            let labels = pod.metadata.labels.as_ref();
            pod.metadata.deletion_timestamp.is_none()
                && labels.is_some_and(|all| all.contains_key("towline.dev/session"))
        };
        Ok(pods.iter().find(stays).and_then(|pod| pod.metadata.name.clone()))
    })
    .await
}

/// The file by Towline onto this machine's disk, and by `kubectl exec` into nothing.
async fn download(namespace: &Namespace, pod: &str, root: &Path) -> Result<()> {
    let mut command = namespace.towline(&["files", "get", "/data/large", "--limit", "2GiB"])?;
    let start = Instant::now();
    let output = tokio::time::timeout(LIMIT * 2, command.output()).await.context("files get")??;
    let towline = start.elapsed();
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "towline files get: {}: {said}", output.status);
    let size = std::fs::metadata(root.join("data/large"))?.len();
    ensure!(size == GIBIBYTE, "{size} bytes came of {GIBIBYTE}");

    let copy = "import shutil, sys; shutil.copyfileobj(open('/data/large', 'rb'), sys.stdout.buffer, 1 << 20)";
    let mut command = exec(namespace, pod, &["python3", "-c", copy])?;
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).status();
    let status = tokio::time::timeout(LIMIT * 2, status).await.context("kubectl exec")??;
    let kubectl = start.elapsed();
    ensure!(status.success(), "kubectl exec: {status}");
    println!(
        "volume of 1 GiB: {:.0} MB/s by towline files get; {:.0} MB/s by kubectl exec; ratio {:.2}",
        rate(towline),
        rate(kubectl),
        kubectl.as_secs_f64() / towline.as_secs_f64()
    );
    Ok(())
}

fn rate(time: Duration) -> f64 {
    GIBIBYTE as f64 / 1e6 / time.as_secs_f64()
}

/// From the moment when the kubelet has changed the file in the pod until it is changed here, and from the change of the config map until the kubelet's.
async fn refresh(namespace: &Namespace, pod: &str, local: &Path) -> Result<()> {
    let (mut kubelet, mut towline) = (Vec::new(), Vec::new());
    for change in 1..=CHANGES {
        let value = format!("change {change}");
        let waiting = exec(namespace, pod, &["python3", "-c", WAIT, &value])?.output();
        let here = async {
            let limit = Instant::now() + LIMIT;
            // While it is replaced there is a moment without it.
            while std::fs::read_to_string(local).ok().as_deref() != Some(&value) {
                ensure!(Instant::now() < limit, "{} does not change", local.display());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(now())
        };
        let patch = json!({"data": {"value": value}}).to_string();
        let patched = async {
            namespace
                .kubectl(&["patch", "configmap", "settings", "--type=merge", "-p", &patch])
                .await?;
            anyhow::Ok(now())
        };
        let (waited, here, patched) = tokio::join!(waiting, here, patched);
        let printed = String::from_utf8(waited?.stdout)?;
        let there: f64 = printed.trim().parse().with_context(|| format!("a time: {printed}"))?;
        kubelet.push(there - patched?);
        towline.push(here? - there);
    }
    let slowest = towline.iter().copied().fold(0.0, f64::max);
    println!(
        "config map: {:.2} s until the kubelet has changed the file in the pod, {:.2} s more until it is changed here (medians)",
        median(kubelet),
        median(towline)
    );
    print!(
        "{}",
        verdict(
            "refresh after the kubelet's change, slowest, s",
            slowest,
            slowest <= 5.0,
            "at most 5"
        )
    );
    Ok(())
}

/// Something in the container beside the agent.
fn exec(namespace: &Namespace, pod: &str, command: &[&str]) -> Result<Command> {
    let mut kubectl = Command::new("kubectl");
    kubectl
        .args(["--kubeconfig", &namespace.kubeconfig()?, "-n", &namespace.name])
        .args(["exec", pod, "-c", "side", "--"])
        .args(command)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Ok(kubectl)
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |passed| passed.as_secs_f64())
}
