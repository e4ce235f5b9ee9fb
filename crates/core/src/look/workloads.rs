//! Rows of workloads. Read as JSON, because all kinds have the same shape where a list looks at them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, DynamicObject, ListParams};
use serde::Serialize;
use serde_json::Value;
use towline_workload::names::SESSION_ANNOTATION;
use towline_workload::{Kind, SessionRecord, WorkloadRef};

use super::pods::controller;
use super::{Scope, all, created};
use crate::cluster::{Cluster, ClusterError};

/// A workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkloadRow {
    /// Which.
    #[serde(flatten)]
    pub workload: WorkloadRef,
    /// How many of its pods are ready.
    pub ready: u32,
    /// How many it wants.
    pub desired: u32,
    /// The images of its containers, in their order.
    pub images: Vec<String>,
    /// The session that it is in.
    pub session: Option<SessionRecord>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// Every workload of the scope, by namespace, name and kind: Deployments, StatefulSets, DaemonSets, and the ReplicaSets and pods that
/// nothing controls.
///
/// # Errors
///
/// What the API server answers.
pub async fn workloads(cluster: &Cluster, scope: &Scope) -> Result<Vec<WorkloadRow>, ClusterError> {
    let lists = Kind::ALL.map(|kind| async move {
        let objects = objects(cluster, scope, kind).await?;
        let own = objects.iter().filter(|object| controller(object.owner_references()).is_none());
        Ok::<_, ClusterError>(own.map(|object| WorkloadRow::of(kind, object)).collect::<Vec<_>>())
    });
    let rows = futures::future::try_join_all(lists).await?.concat();
    Ok(super::sorted(rows, |row| {
        (row.workload.namespace.clone(), row.workload.name.clone(), row.workload.kind)
    }))
}

/// Every object of `kind` in the scope, those with a controller too.
pub(crate) async fn objects(
    cluster: &Cluster,
    scope: &Scope,
    kind: Kind,
) -> Result<Vec<DynamicObject>, ClusterError> {
    let resource = kind.api_resource();
    let api: Api<DynamicObject> = match scope {
        Scope::Namespace(namespace) => Api::namespaced_with(cluster.client(), namespace, &resource),
        Scope::All => Api::all_with(cluster.client(), &resource),
    };
    all(&api, &ListParams::default()).await.map_err(|error| {
        cluster.explain(format!("list the {} {}", kind.plural(), scope.phrase()), error)
    })
}

impl WorkloadRow {
    /// The row of an object of that kind.
    pub fn of(kind: Kind, object: &DynamicObject) -> Self {
        let (ready, desired) = replicas(kind, &object.data);
        let containers = object
            .data
            .pointer(&format!("{}/spec/containers", kind.template()))
            .and_then(Value::as_array);
        let images =
            containers.into_iter().flatten().filter_map(|container| container["image"].as_str());
        Self {
            workload: WorkloadRef {
                kind,
                namespace: object.namespace().unwrap_or_default(),
                name: object.name_any(),
            },
            ready,
            desired,
            images: images.map(str::to_owned).collect(),
            session: record(object.annotations()),
            created: created(object),
        }
    }
}

impl From<&Pod> for WorkloadRow {
    /// The row of a pod that nothing controls.
    fn from(pod: &Pod) -> Self {
        let ready = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let ready = ready
            .into_iter()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True");
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        Self {
            workload: WorkloadRef {
                kind: Kind::Pod,
                namespace: pod.namespace().unwrap_or_default(),
                name: pod.name_any(),
            },
            ready: u32::from(ready),
            desired: 1,
            images: containers.filter_map(|container| container.image.clone()).collect(),
            session: record(pod.annotations()),
            created: created(pod),
        }
    }
}

fn record(annotations: &BTreeMap<String, String>) -> Option<SessionRecord> {
    annotations.get(SESSION_ANNOTATION).and_then(|text| SessionRecord::parse(text))
}

/// Pods that are ready, pods that are wanted.
fn replicas(kind: Kind, data: &Value) -> (u32, u32) {
    let number = |at: &str| {
        data.pointer(at).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok())
    };
    let ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    match kind {
        Kind::Pod => {
            let conditions = data.pointer("/status/conditions").and_then(Value::as_array);
            (u32::from(conditions.is_some_and(|conditions| conditions.iter().any(ready))), 1)
        }
        Kind::DaemonSet => (
            number("/status/numberReady").unwrap_or(0),
            number("/status/desiredNumberScheduled").unwrap_or(0),
        ),
        Kind::Deployment | Kind::StatefulSet | Kind::ReplicaSet => {
            (number("/status/readyReplicas").unwrap_or(0), number("/spec/replicas").unwrap_or(1))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_says_how_many_are_ready_and_whose_session_it_is() {
        let record = r#"{"id":"0123456789ab","user":"ada","host":"lovelace","started":"2026-01-02T03:04:05Z","container":"a","toolVersion":"0.1.0"}"#;
        let object: DynamicObject = serde_json::from_value(json!({
            "metadata": {"name": "orders", "namespace": "shop", "annotations": {"towline.dev/session": record}},
            "spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:2"}]}}},
            "status": {"readyReplicas": 2},
        }))
        .unwrap();
        let row = WorkloadRow::of(Kind::Deployment, &object);
        assert_eq!((row.ready, row.desired), (2, 3));
        assert_eq!(row.images, ["x:1", "y:2"]);
        assert_eq!(row.session.unwrap().user, "ada");
    }

    #[test]
    fn replicas_that_nobody_set_are_one() {
        assert_eq!(replicas(Kind::StatefulSet, &json!({"spec": {}})), (0, 1));
        assert_eq!(
            replicas(Kind::DaemonSet, &json!({"status": {"desiredNumberScheduled": 4}})),
            (0, 4)
        );
    }
}
