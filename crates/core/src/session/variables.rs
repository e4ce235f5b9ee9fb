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

/// What can read a process's own environment in a container: the first that the image has does. Images without a shell's tools often have their
/// language's interpreter.
const READERS: [&[&str]; 4] = [
    &["cat", "/proc/self/environ"],
    &[
        "python3",
        "-c",
        "import sys; sys.stdout.buffer.write(open('/proc/self/environ', 'rb').read())",
    ],
    &["node", "-e", "process.stdout.write(require('fs').readFileSync('/proc/self/environ'))"],
    &["busybox", "cat", "/proc/self/environ"],
];

/// How long a look at the original's environment may take: what its image sets can be had without.
pub(super) const GLANCE: Duration = Duration::from_secs(3);

/// The same where somebody waits for it, who would otherwise find out when the workload has been changed.
pub(super) const LOOK: Duration = Duration::from_secs(20);

/// An environment is at most this long: the kernel's limit is 2 MiB, arguments included (`ARG_MAX`, execve(2)).
const LONGEST: u64 = 4 * 1024 * 1024;

/// The environment of the original container as its process got it, image variables included. `None` where it cannot be had: no right to
/// exec, none of [`READERS`] in the image, no pod that runs, not within the limit.
pub(super) async fn original(
    cluster: &Cluster,
    plan: &Plan,
    limit: Duration,
) -> Option<Vec<Variable>> {
    let read = tokio::time::timeout(limit, from_a_pod(cluster, plan)).await;
    let bytes = read
        .inspect_err(|_| tracing::debug!("the original's environment did not come in time"))
        .ok()??;
    let variables = parse_environ(&bytes);
    (!variables.is_empty()).then_some(variables)
}

async fn from_a_pod(cluster: &Cluster, plan: &Plan) -> Option<Vec<u8>> {
    let pods = pods_of(&cluster.client(), &plan.workload, &plan.base).await.ok()?;
    let pod = pods.iter().find(|pod| is_original(pod, &plan.container))?;
    let name = pod.pointer("/metadata/name")?.as_str()?;
    let api: Api<Pod> = Api::namespaced(cluster.client(), &plan.workload.namespace);
    for reader in READERS {
        // An error is about the right or the way, not about the image: the next reader would meet it too.
        let read = exec(&api, name, &plan.container, reader).await;
        match read.inspect_err(|error| tracing::debug!(%error, "no exec")).ok()? {
            Some(bytes) => return Some(bytes),
            None => tracing::debug!("the container has no {}", reader[0]),
        }
    }
    None
}

/// What a command in the container prints; `None` where it does not succeed.
async fn exec(
    api: &Api<Pod>,
    pod: &str,
    container: &str,
    command: &[&str],
) -> kube::Result<Option<Vec<u8>>> {
    let parameters =
        AttachParams::default().container(container).stdout(true).stderr(false).stdin(false);
    let mut process = api.exec(pod, command.iter().copied(), &parameters).await?;
    let (Some(stdout), Some(status)) = (process.stdout(), process.take_status()) else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    let read = stdout.take(LONGEST).read_to_end(&mut bytes).await.is_ok();
    let succeeded = status.await.is_some_and(|status| status.status.as_deref() == Some("Success"));
    Ok((read && succeeded).then_some(bytes))
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
