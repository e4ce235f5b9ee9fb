//! The sample application.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use serde_json::Value;

use crate::app::is_ready;
use crate::namespace::Namespace;
use crate::{eventually, node};

/// `sandbox/shop` in the repository.
pub fn shop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sandbox/shop")
}

/// Deploys `shop.yaml` into the test's own namespace and waits until all of its pods are ready.
///
/// # Errors
/// When they do not become ready.
pub async fn deploy(namespace: &Namespace) -> Result<()> {
    let text = tokio::fs::read_to_string(shop().join("shop.yaml")).await?;
    let documents =
        text.split("\n---\n").filter(|document| !document.contains("\nkind: Namespace\n"));
    let manifest = documents
        .collect::<Vec<_>>()
        .join("\n---\n")
        .replace("namespace: shop\n", &format!("namespace: {}\n", namespace.name));
    namespace.kubectl_with(&["apply", "-f", "-"], manifest.as_bytes()).await?;
    // gateway, orders twice, catalogue twice, redis, greeter
    eventually("the shop's seven pods are ready", || async {
        let pods = namespace.api::<Pod>().list(&ListParams::default()).await?.items;
        let ready = pods.iter().filter(|pod| is_ready(pod)).count();
        ensure!(ready == 7 && pods.len() == 7, "{ready} of {} pods are ready", pods.len());
        Ok(Some(()))
    })
    .await
}

/// A request to the gateway from inside the cluster, as the shop's customers make it.
///
/// # Errors
/// When the gateway does not answer in JSON.
pub async fn gateway(namespace: &Namespace, path: &str, body: Option<&str>) -> Result<Value> {
    let url = format!("http://{}{path}", namespace.cluster_ip("gateway").await?);
    let mut arguments = vec!["-s", "-S", "--max-time", "20", &url];
    arguments.extend(
        body.iter().flat_map(|body| ["-H", "Content-Type: application/json", "--data", body]),
    );
    let output = node::command("curl", &arguments)?.output().await?;
    serde_json::from_slice(&output.stdout).with_context(|| format!("{path}: {output:?}"))
}
