//! The harness itself: the rules that Towline is held to do hold in the cluster without it.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use towline_cluster_tests::app::deployment;
use towline_cluster_tests::carry::Route;
use towline_cluster_tests::h2c::{Http2, UPLOAD, upload};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::node;
use towline_cluster_tests::peer::{self, MODES, Side};

#[tokio::test]
async fn connections_inside_the_cluster_keep_the_rules() -> Result<()> {
    let namespace = Namespace::create("harness").await?;
    let ports: Vec<Value> =
        MODES.iter().map(|(name, port)| json!({"name": name, "port": port})).collect();
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "peer"},
        "spec": {"selector": {"app": "peer"}, "ports": ports},
    });
    namespace.apply([deployment("peer", 1, &[peer::container("main", &MODES)]), service]).await?;
    namespace.ready("peer", 1).await?;
    let address = namespace.cluster_ip("peer").await?;
    // A pod is Ready a moment before the node's rules lead to it.
    towline_cluster_tests::eventually("the service takes connections", || async {
        let connect =
            "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)";
        node::python(connect, &[&address, &MODES[0].1.to_string()]).await.map(Some)
    })
    .await?;
    let route = Route::new(Side::Cluster, &address, MODES);
    route.protocols().await?;
    route.many(500).await?;
    futures::future::try_join(route.upload(10_000_000), route.download(10_000_000)).await?;
    namespace.nothing_left().await
}

#[tokio::test]
async fn http2_without_tls() -> Result<()> {
    let server = Http2::start().await?;
    let output = tokio::process::Command::new("curl")
        .args(upload(&format!("http://{}/", server.address)))
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(text == format!("HTTP/2.0 {UPLOAD}"), "{text} {output:?}");
    Ok(())
}
