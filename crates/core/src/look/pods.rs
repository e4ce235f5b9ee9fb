//! Rows of pods.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt;
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use serde::Serialize;
use towline_workload::names::SESSION_LABEL;

use super::{Scope, all, created};
use crate::cluster::{Cluster, ClusterError};

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PodRow {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its phase, or what keeps it from running: `Running`, `ImagePullBackOff`, `Terminating`.
    pub status: String,
    /// How many of its containers are ready.
    pub ready: u32,
    /// How many it has.
    pub containers: u32,
    /// How often its containers were restarted, in all.
    pub restarts: u32,
    /// The workload that it belongs to, as `deployment/orders`.
    pub owner: Option<String>,
    /// The node that it is on.
    pub node: Option<String>,
    /// The session whose agent runs in it.
    pub session: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// Every pod of the scope, by namespace and name.
///
/// # Errors
///
/// What the API server answers.
pub async fn pods(cluster: &Cluster, scope: &Scope) -> Result<Vec<PodRow>, ClusterError> {
    let parameters = ListParams::default();
    let (pods, sets) = (scope.api::<Pod>(cluster), scope.api::<ReplicaSet>(cluster));
    let (pods, owners) = tokio::join!(all(&pods, &parameters), replica_set_owners(&sets));
    let pods =
        pods.map_err(|error| cluster.explain(format!("list the pods {}", scope.phrase()), error))?;
    let rows = pods.iter().map(|pod| PodRow::of(pod).below(&owners)).collect();
    Ok(super::sorted(rows, |row: &PodRow| (row.namespace.clone(), row.name.clone())))
}

type Owners = BTreeMap<(String, String), OwnerReference>;

// A pod names its ReplicaSet, and only that one names the Deployment. Without the right to read it the ReplicaSet is shown.
async fn replica_set_owners(api: &kube::Api<ReplicaSet>) -> Owners {
    let list = match api.list_metadata(&ListParams::default()).await {
        Ok(list) => list.items,
        Err(error) => {
            tracing::debug!(%error, "listing replica sets for the owners of pods");
            Vec::new()
        }
    };
    let owned = |set: PartialObjectMeta<ReplicaSet>| {
        let owner = controller(set.owner_references())?.clone();
        Some(((set.namespace().unwrap_or_default(), set.name_any()), owner))
    };
    list.into_iter().filter_map(owned).collect()
}

/// The owner that controls the object.
pub fn controller(owners: &[OwnerReference]) -> Option<&OwnerReference> {
    owners.iter().find(|owner| owner.controller == Some(true))
}

impl PodRow {
    /// The row of a pod, with what controls it directly as its owner: a ReplicaSet, not the Deployment above it.
    pub fn of(pod: &Pod) -> Self {
        let namespace = pod.namespace().unwrap_or_default();
        let owner = controller(pod.owner_references()).map(name_of_owner);
        let statuses = pod
            .status
            .as_ref()
            .and_then(|status| status.container_statuses.as_deref())
            .unwrap_or_default();
        let restarts: i32 = statuses.iter().map(|status| status.restart_count).sum();
        Self {
            name: pod.name_any(),
            status: status(pod),
            ready: count(statuses.iter().filter(|status| status.ready).count()),
            containers: count(pod.spec.as_ref().map_or(0, |spec| spec.containers.len())),
            restarts: u32::try_from(restarts).unwrap_or(0),
            owner,
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            session: pod.labels().get(SESSION_LABEL).cloned(),
            created: created(pod),
            namespace,
        }
    }

    fn below(mut self, owners: &Owners) -> Self {
        let set = self.owner.as_deref().and_then(|owner| owner.strip_prefix("replicaset/"));
        let above = set.and_then(|set| owners.get(&(self.namespace.clone(), set.to_owned())));
        if let Some(above) = above {
            self.owner = Some(name_of_owner(above));
        }
        self
    }
}

/// As `deployment/orders`.
fn name_of_owner(owner: &OwnerReference) -> String {
    format!("{}/{}", owner.kind.to_lowercase(), owner.name)
}

/// The pod's state in one word, as kubectl's: the reason that a container waits or ended for, else the phase.
pub(crate) fn status(pod: &Pod) -> String {
    if pod.metadata.deletion_timestamp.is_some() {
        return "Terminating".to_owned();
    }
    let Some(status) = &pod.status else { return "Unknown".to_owned() };
    let reason = |container: &ContainerStatus| {
        let state = container.state.as_ref()?;
        let waiting = state.waiting.as_ref().and_then(|waiting| waiting.reason.clone());
        waiting
            .or_else(|| state.terminated.as_ref().and_then(|terminated| terminated.reason.clone()))
    };
    let running = status.phase.as_deref() == Some("Running");
    let inits = status.init_container_statuses.iter().flatten().filter_map(reason);
    let init =
        inits.into_iter().find(|reason| reason != "Completed" && reason != "PodInitializing");
    let containers = || status.container_statuses.iter().flatten().filter_map(reason).next();
    let reason = status
        .reason
        .clone()
        .or_else(|| init.map(|reason| format!("Init:{reason}")))
        .or_else(containers);
    match reason {
        // One container of several may have done its work.
        Some(reason) if !(running && reason == "Completed") => reason,
        _ => status.phase.clone().unwrap_or_else(|| "Unknown".to_owned()),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(status: serde_json::Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "a"}, "status": status})).unwrap()
    }

    #[test]
    fn a_status_says_what_keeps_the_pod_from_running() {
        let container = |state: serde_json::Value| {
            json!([{"name": "a", "ready": false, "restartCount": 0,
            "image": "", "imageID": "", "state": state}])
        };
        for (given, expected) in [
            (json!({"phase": "Running"}), "Running"),
            (json!({"phase": "Failed", "reason": "Evicted"}), "Evicted"),
            (
                json!({"phase": "Pending", "containerStatuses": container(json!({"waiting": {"reason": "ImagePullBackOff"}}))}),
                "ImagePullBackOff",
            ),
            (
                json!({"phase": "Pending", "initContainerStatuses": container(json!({"waiting": {"reason": "CrashLoopBackOff"}}))}),
                "Init:CrashLoopBackOff",
            ),
            (
                json!({"phase": "Running", "containerStatuses": container(json!({"terminated": {"exitCode": 0, "reason": "Completed"}}))}),
                "Running",
            ),
        ] {
            assert_eq!(status(&pod(given)), expected);
        }
    }
}
