//! Pods without the part of them that nobody shows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, PodSpec, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::api::ObjectMeta;
use serde::Deserialize;

/// A pod without its `metadata.managedFields`: who has set which field, a tree that becomes several times as large in memory as everything else of the pod,
/// just to be thrown away. With thousands of pods the heap keeps that room.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Parts")]
pub(super) struct LeanPod(pub(super) Pod);

#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    metadata: Metadata,
    spec: Option<PodSpec>,
    status: Option<PodStatus>,
}

/// [`ObjectMeta`] but for its managed fields; what is not named here is skipped while it is read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    annotations: Option<BTreeMap<String, String>>,
    creation_timestamp: Option<Time>,
    deletion_grace_period_seconds: Option<i64>,
    deletion_timestamp: Option<Time>,
    finalizers: Option<Vec<String>>,
    generate_name: Option<String>,
    generation: Option<i64>,
    labels: Option<BTreeMap<String, String>>,
    name: Option<String>,
    namespace: Option<String>,
    owner_references: Option<Vec<OwnerReference>>,
    resource_version: Option<String>,
    uid: Option<String>,
}

impl From<Parts> for LeanPod {
    fn from(Parts { metadata, spec, status }: Parts) -> Self {
        let metadata = ObjectMeta {
            annotations: metadata.annotations,
            creation_timestamp: metadata.creation_timestamp,
            deletion_grace_period_seconds: metadata.deletion_grace_period_seconds,
            deletion_timestamp: metadata.deletion_timestamp,
            finalizers: metadata.finalizers,
            generate_name: metadata.generate_name,
            generation: metadata.generation,
            labels: metadata.labels,
            managed_fields: None,
            name: metadata.name,
            namespace: metadata.namespace,
            owner_references: metadata.owner_references,
            resource_version: metadata.resource_version,
            self_link: None,
            uid: metadata.uid,
        };
        Self(Pod { metadata, spec, status })
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
    use serde_json::json;

    use super::*;

    #[test]
    fn all_of_a_pod_but_its_managed_fields() {
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": "orders-0", "namespace": "shop", "generateName": "orders-", "uid": "7", "resourceVersion": "9",
                "generation": 2, "creationTimestamp": "2026-01-01T00:00:00Z", "deletionTimestamp": "2026-01-02T00:00:00Z",
                "deletionGracePeriodSeconds": 30, "finalizers": ["a/b"], "labels": {"app": "orders"}, "annotations": {"a": "b"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "orders", "uid": "3", "controller": true}],
            },
            "spec": {"containers": [{"name": "main", "image": "a:1"}]},
            "status": {"phase": "Running"},
        });
        let whole: Pod = serde_json::from_value(pod.clone()).unwrap();
        pod["metadata"]["managedFields"] =
            json!([{"manager": "kubelet", "fieldsV1": {"f:status": {"f:phase": {}}}}]);
        let lean: LeanPod = serde_json::from_value(pod).unwrap();
        assert_eq!(lean.0, whole);
        let empty: LeanPod = serde_json::from_value(json!({})).unwrap();
        assert_eq!(empty.0, Pod::default());
    }
}
