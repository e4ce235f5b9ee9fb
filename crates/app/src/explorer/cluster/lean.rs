//! Pods without the part of them that nobody shows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, ContainerState, ContainerStatus, Pod, PodCondition, PodSpec,
    PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::api::ObjectMeta;
use serde::Deserialize;

/// What a table shows of a pod, and what a watch needs. The rest is skipped while it is read: it would become several times as large in memory as what is
/// kept, just to be thrown away, and with thousands of pods the heap keeps that room. `metadata.managedFields` alone, who has set which field, is
/// most of a pod.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Parts")]
pub(super) struct LeanPod(pub(super) Pod);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parts {
    metadata: Metadata,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    annotations: Option<BTreeMap<String, String>>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    labels: Option<BTreeMap<String, String>>,
    name: Option<String>,
    namespace: Option<String>,
    owner_references: Option<Vec<OwnerReference>>,
    resource_version: Option<String>,
    uid: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    containers: Vec<LeanContainer>,
    node_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LeanContainer {
    name: String,
    image: Option<String>,
    ports: Option<Vec<ContainerPort>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    conditions: Option<Vec<PodCondition>>,
    container_statuses: Option<Vec<LeanStatus>>,
    init_container_statuses: Option<Vec<LeanStatus>>,
    phase: Option<String>,
    reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LeanStatus {
    name: String,
    ready: bool,
    restart_count: i32,
    state: Option<ContainerState>,
}

impl From<Parts> for LeanPod {
    fn from(Parts { metadata, spec, status }: Parts) -> Self {
        let metadata = metadata.into();
        Self(Pod { metadata, spec: spec.map(Into::into), status: status.map(Into::into) })
    }
}

impl From<Metadata> for ObjectMeta {
    fn from(metadata: Metadata) -> Self {
        Self {
            annotations: metadata.annotations,
            creation_timestamp: metadata.creation_timestamp,
            deletion_timestamp: metadata.deletion_timestamp,
            labels: metadata.labels,
            name: metadata.name,
            namespace: metadata.namespace,
            owner_references: metadata.owner_references,
            resource_version: metadata.resource_version,
            uid: metadata.uid,
            ..Self::default()
        }
    }
}

impl From<Spec> for PodSpec {
    fn from(Spec { containers, node_name }: Spec) -> Self {
        let containers = containers.into_iter().map(Into::into).collect();
        Self { containers, node_name, ..Self::default() }
    }
}

impl From<LeanContainer> for Container {
    fn from(LeanContainer { name, image, ports }: LeanContainer) -> Self {
        Self { name, image, ports, ..Self::default() }
    }
}

impl From<Status> for PodStatus {
    fn from(status: Status) -> Self {
        let all = |of: Vec<LeanStatus>| of.into_iter().map(Into::into).collect();
        Self {
            conditions: status.conditions,
            container_statuses: status.container_statuses.map(all),
            init_container_statuses: status.init_container_statuses.map(all),
            phase: status.phase,
            reason: status.reason,
            ..Self::default()
        }
    }
}

impl From<LeanStatus> for ContainerStatus {
    fn from(LeanStatus { name, ready, restart_count, state }: LeanStatus) -> Self {
        Self { name, ready, restart_count, state, ..Self::default() }
    }
}

impl kube::Resource for LeanPod {
    type DynamicType = <Pod as kube::Resource>::DynamicType;
    type Scope = <Pod as kube::Resource>::Scope;

    fn kind(kind: &Self::DynamicType) -> Cow<'_, str> {
        <Pod as kube::Resource>::kind(kind)
    }

    fn group(kind: &Self::DynamicType) -> Cow<'_, str> {
        <Pod as kube::Resource>::group(kind)
    }

    fn version(kind: &Self::DynamicType) -> Cow<'_, str> {
        <Pod as kube::Resource>::version(kind)
    }

    fn plural(kind: &Self::DynamicType) -> Cow<'_, str> {
        <Pod as kube::Resource>::plural(kind)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.0.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.0.metadata
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};
    use towline_core::look::{PodRow, WorkloadRow};

    use super::*;

    fn whole() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": "orders-0", "namespace": "shop", "uid": "7", "resourceVersion": "9", "generation": 2,
                "creationTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a/b"],
                "labels": {"app": "orders", "towline.dev/session": "mine"}, "annotations": {"a": "b"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "orders", "uid": "3", "controller": true}],
                "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:status": {"f:phase": {}}}}],
            },
            "spec": {
                "nodeName": "node", "restartPolicy": "Always", "volumes": [{"name": "v", "emptyDir": {}}],
                "initContainers": [{"name": "first", "image": "c:3"}],
                "containers": [
                    {"name": "main", "image": "a:1", "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}], "env": [{"name": "A", "value": "b"}]},
                    {"name": "side", "image": "b:2"},
                ],
            },
            "status": {
                "phase": "Running", "podIP": "10.0.0.1",
                "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": null}],
                "containerStatuses": [
                    {"name": "main", "ready": true, "restartCount": 3, "image": "a:1", "imageID": "a", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}},
                    {"name": "side", "ready": false, "restartCount": 1, "image": "b:2", "imageID": "b", "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
                ],
            },
        })
    }

    /// As the table shows it.
    fn shown(pod: &Pod) -> (PodRow, WorkloadRow) {
        (PodRow::of(pod), WorkloadRow::from(pod))
    }

    #[test]
    fn what_is_shown_of_a_pod_is_there() {
        let done = json!({"terminated": {"exitCode": 1, "reason": "Error"}});
        let init = json!([{"name": "first", "ready": false, "restartCount": 0, "image": "", "imageID": "", "state": done}]);
        let changes = [
            ("/metadata/annotations", json!({"a": "b"})),
            ("/metadata/deletionTimestamp", json!("2026-01-02T00:00:00Z")),
            ("/status/initContainerStatuses", init),
            ("/status", json!({"phase": "Failed", "reason": "Evicted"})),
            ("/spec/containers", json!([])),
        ];
        for (place, value) in changes {
            let mut pod = whole();
            let (parent, field) = place.rsplit_once('/').unwrap();
            pod.pointer_mut(parent).unwrap()[field] = value;
            let all: Pod = serde_json::from_value(pod.clone()).unwrap();
            let LeanPod(lean) = serde_json::from_value(pod).unwrap();
            assert_eq!(shown(&lean), shown(&all), "{place}");
            let kept = lean.spec.unwrap().containers;
            let of = |container: &Container| (container.name.clone(), container.ports.clone());
            assert!(kept.iter().map(of).eq(all.spec.unwrap().containers.iter().map(of)));
            assert_eq!(lean.metadata.labels, all.metadata.labels);
            assert_eq!(lean.metadata.resource_version, all.metadata.resource_version);
        }
    }

    #[test]
    fn what_is_not_shown_is_not() {
        let LeanPod(lean) = serde_json::from_value(whole()).unwrap();
        assert_eq!(lean.metadata.managed_fields, None);
        let spec = lean.spec.unwrap();
        assert_eq!((spec.volumes, spec.init_containers), (None, None));
        assert!(spec.containers.iter().all(|container| container.env.is_none()));
        let empty: LeanPod = serde_json::from_value(json!({})).unwrap();
        assert_eq!(empty.0, Pod::default());
    }
}
