//! Several pods with different files.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use towline_cluster_tests::app::{HTTP, IMAGE, container, deployment, service};
use towline_cluster_tests::namespace::Namespace;

use super::scene::{files, refused, root_of};

const FILL: &str = "import socket; open('/data/who', 'w').write(socket.gethostname())";

#[tokio::test]
async fn the_pod_is_shown_and_chosen_and_gets_its_own_files_back() -> Result<()> {
    let ns = Namespace::create("volumes-replicas").await?;
    let data = json!([{"name": "data", "mountPath": "/data"}]);
    let with_data = |name: &str, program: &str| {
        json!({
            "name": name, "image": IMAGE, "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "-c", program], "volumeMounts": data,
        })
    };
    let mut main = container(HTTP, 8080);
    main["volumeMounts"] = data.clone();
    let side = with_data("side", "import signal; signal.pause()");
    let mut app = deployment("web", 2, &[main, side]);
    let spec = &mut app["spec"]["template"]["spec"];
    spec["initContainers"] = json!([with_data("fill", FILL)]);
    spec["volumes"] = json!([{"name": "data", "emptyDir": {}}]);
    ns.apply([app, service("web", 80, "http")]).await?;
    ns.ready("web", 2).await?;

    let mut session = ns.connect(&["deployment/web", "-c", "main", "--no-admin"], &[])?;
    let event = session.event("connected").await?;
    let root = root_of(&event)?;
    let mut pods = session_pods(&mut session).await?;
    pods.sort_unstable();
    let [first, second] = pods.as_slice() else { anyhow::bail!("two pods: {pods:?}") };
    let who = || fs::read_to_string(root.join("data/who")).context("data/who");

    ensure!(pod_of(&ns).await? == *first, "the first by name");
    files(&ns, &["get", "/data/who"]).await?;
    ensure!(who()? == *first, "{} is not {first}", who()?);

    // The other one's, beside a file of the first that was changed here.
    fs::write(root.join("data/who"), "changed")?;
    let chosen = files(&ns, &["list", "/data", "--pod", second]).await?;
    ensure!(chosen["entries"][0]["name"] == "who", "{chosen}");
    ensure!(pod_of(&ns).await? == *second, "the one that was chosen");
    files(&ns, &["put", "/data/who"]).await?;
    ensure!(read_in(&ns, first).await? == "changed", "it goes back to where it came from");
    ensure!(read_in(&ns, second).await? == *second);
    files(&ns, &["get", "/data/who"]).await?;
    ensure!(who()? == *second, "{} is not {second}", who()?);

    let (status, code) = refused(&ns, &["get", "/data", "--pod", "nobody"]).await?;
    ensure!((status, code.as_str()) == (2, "input"), "{status} {code}");
    session.stop().await?;
    Ok(())
}

/// The pods of both agents, once they are connected.
async fn session_pods(
    session: &mut towline_cluster_tests::towline::Connected,
) -> Result<Vec<String>> {
    let mut pods: Vec<String> = Vec::new();
    for event in session.seen() {
        pods.extend(
            event["pod"].as_str().filter(|_| event["event"] == "tunnel_up").map(str::to_owned),
        );
    }
    while pods.len() < 2 {
        let event = session.event("tunnel_up").await?;
        pods.push(event["pod"].as_str().context("a pod")?.to_owned());
    }
    Ok(pods)
}

/// The pod that stands beside the volume.
async fn pod_of(ns: &Namespace) -> Result<String> {
    let volumes = files(ns, &["list"]).await?;
    let rows: &[Value] = volumes.as_array().context("rows")?;
    let data = rows.iter().find(|row| row["mount_path"] == "/data").context("/data")?;
    Ok(data["pod"].as_str().with_context(|| format!("a pod: {data}"))?.to_owned())
}

async fn read_in(ns: &Namespace, pod: &str) -> Result<String> {
    let read = "print(open('/data/who').read(), end='')";
    ns.kubectl(&["exec", pod, "-c", "side", "--", "python3", "-c", read]).await
}
