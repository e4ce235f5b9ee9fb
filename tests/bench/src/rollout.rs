//! How long connecting and restoring take, beside a bare rollout of the same Deployment.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams};
use kube::runtime::wait::await_condition;
use serde_json::json;
use towline_cluster_tests::LIMIT;
use towline_cluster_tests::namespace::Namespace;

/// Changes an annotation of the pod template and waits until the rollout is complete.
pub(crate) async fn bare(namespace: &Namespace, name: &str, round: usize) -> Result<Duration> {
    let deployments = namespace.api::<Deployment>();
    let change = json!({"spec": {"template": {"metadata": {"annotations": {"bench/round": round.to_string()}}}}});
    let start = Instant::now();
    deployments.patch(name, &PatchParams::default(), &Patch::Strategic(change)).await?;
    rolled_out(namespace, name).await?;
    Ok(start.elapsed())
}

/// Waits until every replica is of the newest template and available, and no older one is left.
async fn rolled_out(namespace: &Namespace, name: &str) -> Result<()> {
    let complete = |deployment: Option<&Deployment>| {
        let Some(deployment) = deployment else { return false };
        let (spec, Some(status)) = (&deployment.spec, &deployment.status) else { return false };
        status.observed_generation >= deployment.metadata.generation
            && status.updated_replicas == spec.replicas
            && status.replicas == spec.replicas
            && status.available_replicas == spec.replicas
    };
    let wait = await_condition(namespace.api::<Deployment>(), name, complete);
    tokio::time::timeout(LIMIT, wait).await.context("the rollout did not complete")??;
    Ok(())
}

/// A whole session: the time until it is connected, and from Ctrl-C until all is restored.
pub(crate) async fn session(namespace: &Namespace, name: &str) -> Result<(Duration, Duration)> {
    let start = Instant::now();
    let mut towline = namespace.connect(&[&format!("deployment/{name}")], &[])?;
    towline.event("connected").await?;
    let connected = start.elapsed();
    let start = Instant::now();
    let status = towline.stop().await?;
    ensure!(status.code().is_some(), "towline was killed");
    Ok((connected, start.elapsed()))
}
