//! What the environment is made of, read from the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Container, Pod, Secret};
use kube::Api;
use kube::api::AttachParams;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use towline_workload::pods_of;

use crate::cluster::Cluster;
use crate::environment::{Source, SourceKeys, Variable, parse_environ};
use crate::plan::Plan;

/// What the image of the original container sets can be had without.
const EXEC_LIMIT: Duration = Duration::from_secs(3);

/// An environment is at most this long: the kernel's limit is 2 MiB, arguments included (`ARG_MAX`, execve(2)).
const LONGEST: u64 = 4 * 1024 * 1024;

/// The environment of the original container as its process got it, image variables included. `None` where it cannot be had: no right to
/// exec, no `cat` in the image, no pod that runs.
pub(super) async fn original(cluster: &Cluster, plan: &Plan) -> Option<Vec<Variable>> {
    let read = tokio::time::timeout(EXEC_LIMIT, exec_cat(cluster, plan)).await;
    let bytes = read
        .inspect_err(|_| tracing::debug!("the original's environment did not come in time"))
        .ok()??;
    let variables = parse_environ(&bytes);
    (!variables.is_empty()).then_some(variables)
}

async fn exec_cat(cluster: &Cluster, plan: &Plan) -> Option<Vec<u8>> {
    let pods = pods_of(&cluster.client(), &plan.workload, &plan.base).await.ok()?;
    let pod = pods.iter().find(|pod| is_original(pod, &plan.container))?;
    let name = pod.pointer("/metadata/name")?.as_str()?;
    let api: Api<Pod> = Api::namespaced(cluster.client(), &plan.workload.namespace);
    let parameters =
        AttachParams::default().container(&plan.container).stdout(true).stderr(false).stdin(false);
    let started = api.exec(name, ["cat", "/proc/self/environ"], &parameters).await;
    let mut process = started.inspect_err(|error| tracing::debug!(%error, "no exec")).ok()?;
    let mut bytes = Vec::new();
    process.stdout()?.take(LONGEST).read_to_end(&mut bytes).await.ok()?;
    let status = process.take_status()?.await?;
    (status.status.as_deref() == Some("Success")).then_some(bytes)
}

/// Whether the container runs in the pod, and is not an earlier session's agent.
fn is_original(pod: &Value, container: &str) -> bool {
    let statuses = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    let mut statuses = statuses.into_iter().flatten();
    super::agents::session_of(pod).is_none()
        && statuses
            .any(|status| status["name"] == container && status.pointer("/state/running").is_some())
}

/// The container as the pod's spec has it.
pub(super) fn container(plan: &Plan) -> Option<Container> {
    let original = towline_workload::reverse(&plan.base).map(|reversal| reversal.restored);
    let workload = original.as_ref().unwrap_or(&plan.base);
    let containers = workload
        .pointer(&format!("{}/spec/containers", plan.workload.kind.template()))?
        .as_array()?;
    let found = containers.iter().find(|found| found["name"] == plan.container.as_str())?;
    serde_json::from_value(found.clone()).ok()
}

/// The keys of what `envFrom` names, as far as they may be read.
pub(super) async fn keys(cluster: &Cluster, namespace: &str, container: &Container) -> SourceKeys {
    let mut keys = BTreeMap::new();
    for source in container.env_from.iter().flatten() {
        if let Some(reference) = &source.config_map_ref {
            let api: Api<ConfigMap> = Api::namespaced(cluster.client(), namespace);
            if let Ok(Some(found)) = api.get_opt(&reference.name).await {
                let names: BTreeSet<String> = found.data.unwrap_or_default().into_keys().collect();
                keys.insert(Source::ConfigMap(reference.name.clone()), names);
            }
        }
        if let Some(reference) = &source.secret_ref {
            let api: Api<Secret> = Api::namespaced(cluster.client(), namespace);
            if let Ok(Some(found)) = api.get_opt(&reference.name).await {
                let names: BTreeSet<String> = found.data.unwrap_or_default().into_keys().collect();
                keys.insert(Source::Secret(reference.name.clone()), names);
            }
        }
    }
    keys
}
