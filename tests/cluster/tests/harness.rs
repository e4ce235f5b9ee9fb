//! The harness itself: the rules that Towline is held to do hold in the cluster without it.

#![allow(clippy::unwrap_used)]

use anyhow::Result;
use serde_json::{Value, json};
use towline_cluster_tests::app::deployment;
use towline_cluster_tests::carry::Route;
use towline_cluster_tests::namespace::Namespace;
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
    let route = Route::new(Side::Cluster, &namespace.cluster_ip("peer").await?, MODES);
    route.protocols().await?;
    route.many(500).await?;
    futures::future::try_join(route.upload(10_000_000), route.download(10_000_000)).await?;
    namespace.nothing_left().await
}
