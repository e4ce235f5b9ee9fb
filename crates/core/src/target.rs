//! From what the user names to the workload, the container and the ports.
//!
//! Nothing is guessed from names alone: where several things could be meant, the error lists them.

mod container;
mod error;
mod find;
mod owner;
pub mod ports;
mod selector;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, PodSpec, Service};
use kube::ResourceExt;
use kube::api::ListParams;
use serde::Deserialize;
use serde_json::Value;
use towline_workload::{Kind, Rollout, WorkloadRef};

pub use self::container::ContainerError;
pub use self::error::{TargetError, Unsuitable};
pub use self::find::Found;
pub(crate) use self::find::managed_by;
pub use self::ports::PortError;
pub use self::selector::selects;
use crate::cluster::{Cluster, ClusterError};
use crate::look::{self, Scope};
use crate::request::{Request, Target};

/// What a target turned out to be.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The workload that gets the agent.
    pub workload: WorkloadRef,
    /// It, as it was read.
    pub value: Value,
    /// The pods' spec: the template's, or the bare pod's own.
    pub spec: PodSpec,
    /// The pods' labels: the template's, or the bare pod's own.
    pub labels: BTreeMap<String, String>,
    /// The container that the agent stands in for.
    pub container: String,
    /// The services of the namespace that select the pods.
    pub services: Vec<Service>,
    /// The pods that the workload has now, those that are being deleted left out.
    pub pods: Vec<Pod>,
    /// How the workload replaces its pods.
    pub rollout: Rollout,
}

/// Resolves the target, the namespace and the container of a request. Reads only.
///
/// # Errors
///
/// As [`TargetError`] tells them apart.
pub async fn resolve(cluster: &Cluster, request: &Request) -> Result<Resolved, TargetError> {
    let namespace = request.namespace.as_deref().unwrap_or(cluster.default_namespace());
    existing_namespace(cluster, namespace).await?;
    let found = find::find(cluster, &request.target, namespace).await?;
    let workload = found.workload.clone();
    let value = read(cluster, &workload, &request.target).await?;

    let unsuitable = |reason| TargetError::Unsuitable { target: workload.to_string(), reason };
    let rollout = Rollout::of(workload.kind, &value);
    if let Some(reason) = obstacle(&rollout, &value) {
        return Err(unsuitable(reason));
    }
    let template = value.pointer(workload.kind.template()).unwrap_or(&Value::Null);
    let spec = PodSpec::deserialize(&template["spec"])
        .map_err(|error| unsuitable(Unsuitable::Shape(error)))?;
    let labels: BTreeMap<String, String> =
        Deserialize::deserialize(&template["metadata"]["labels"]).unwrap_or_default();

    let (services, pods) = tokio::try_join!(
        services_selecting(cluster, namespace, &labels),
        pods_of(cluster, &workload, &value),
    )?;
    let evidence = container::Evidence {
        requested: request.container.as_deref(),
        annotated: template["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"]
            .as_str(),
        service: found.service.as_ref(),
        ports: &request.ports,
    };
    let container = container::choose(&spec, &evidence)
        .map_err(|source| TargetError::Container { workload: workload.clone(), source })?;
    Ok(Resolved { workload, value, spec, labels, container, services, pods, rollout })
}

/// The containers of a target, to choose from.
#[derive(Clone, Debug)]
pub struct Containers {
    /// The workload behind the target.
    pub workload: WorkloadRef,
    /// The pods' spec, without any session's agent in it.
    pub spec: PodSpec,
    /// The container that is meant where nobody chooses; `None`: somebody must.
    pub preferred: Option<String>,
}

/// The containers that a session on `target` could stand in for. Reads only.
///
/// # Errors
///
/// As [`TargetError`] tells them apart.
pub async fn containers(
    cluster: &Cluster,
    target: &Target,
    namespace: &str,
) -> Result<Containers, TargetError> {
    existing_namespace(cluster, namespace).await?;
    let found = find::find(cluster, target, namespace).await?;
    let value = read(cluster, &found.workload, target).await?;
    // A workload that is in a session has the agent among its containers; shown is what it was before.
    let value = towline_workload::reverse(&value).map_or(value, |reversal| reversal.restored);
    let template = value.pointer(found.workload.kind.template()).unwrap_or(&Value::Null);
    let spec =
        PodSpec::deserialize(&template["spec"]).map_err(|error| TargetError::Unsuitable {
            target: found.workload.to_string(),
            reason: Unsuitable::Shape(error),
        })?;
    let annotations = &template["metadata"]["annotations"];
    let evidence = container::Evidence {
        requested: None,
        annotated: annotations["kubectl.kubernetes.io/default-container"].as_str(),
        service: found.service.as_ref(),
        ports: &[],
    };
    let preferred = container::choose(&spec, &evidence).ok();
    Ok(Containers { workload: found.workload, spec, preferred })
}

/// The workload that `target` names, whatever state it is in.
pub(crate) async fn workload(
    cluster: &Cluster,
    target: &Target,
    namespace: &str,
) -> Result<WorkloadRef, TargetError> {
    find::find(cluster, target, namespace).await.map(|found| found.workload)
}

/// The namespace, if it exists or the user may not know.
pub(crate) async fn existing_namespace(
    cluster: &Cluster,
    namespace: &str,
) -> Result<(), TargetError> {
    if look::namespace_exists(cluster, namespace).await? != Some(false) {
        return Ok(());
    }
    // Names to choose from are a courtesy: without the right to list them the error is the same.
    let known: Vec<String> = look::namespaces(cluster)
        .await
        .map(|rows| rows.into_iter().map(|row| row.name).collect())
        .unwrap_or_default();
    let closest = crate::cluster::closest(namespace, &known);
    Err(TargetError::NamespaceUnknown {
        name: namespace.to_owned(),
        closest,
        context: cluster.context().to_owned(),
    })
}

async fn read(
    cluster: &Cluster,
    workload: &WorkloadRef,
    target: &Target,
) -> Result<Value, TargetError> {
    let doing = || format!("read {workload}");
    let object = workload
        .api(cluster.client())
        .get_opt(&workload.name)
        .await
        .map_err(|error| cluster.explain(doing(), error))?
        .ok_or_else(|| TargetError::unknown(target, &workload.namespace, &[]))?;
    serde_json::to_value(object)
        .map_err(|error| cluster.explain(doing(), kube::Error::SerdeError(error)).into())
}

/// What keeps the workload from getting an agent at all.
fn obstacle(rollout: &Rollout, value: &Value) -> Option<Unsuitable> {
    if !value["metadata"]["deletionTimestamp"].is_null() {
        return Some(Unsuitable::BeingDeleted);
    }
    if rollout.paused {
        return Some(Unsuitable::Paused);
    }
    if rollout.kind == Kind::Pod {
        let phase = value["status"]["phase"].as_str().unwrap_or_default();
        return matches!(phase, "Succeeded" | "Failed")
            .then(|| Unsuitable::Finished(phase.to_owned()));
    }
    match (rollout.kind, rollout.replicas, rollout.following()) {
        (Kind::DaemonSet, 0, _) => Some(Unsuitable::NoNode),
        (_, 0, _) => Some(Unsuitable::ScaledToZero),
        (_, _, 0) => Some(Unsuitable::Partition),
        _ => None,
    }
}

async fn services_selecting(
    cluster: &Cluster,
    namespace: &str,
    labels: &BTreeMap<String, String>,
) -> Result<Vec<Service>, ClusterError> {
    let scope = Scope::Namespace(namespace.to_owned());
    let all = look::all::<Service>(&scope.api(cluster), &ListParams::default())
        .await
        .map_err(|error| cluster.explain(format!("list the services {}", scope.phrase()), error))?;
    let selects = |service: &Service| {
        let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        selector.is_some_and(|selector| selector::selects(selector, labels))
    };
    Ok(all.into_iter().filter(selects).collect())
}

async fn pods_of(
    cluster: &Cluster,
    workload: &WorkloadRef,
    value: &Value,
) -> Result<Vec<Pod>, ClusterError> {
    let scope = Scope::Namespace(workload.namespace.clone());
    if workload.kind == Kind::Pod {
        return Ok(Pod::deserialize(value).into_iter().collect());
    }
    let selector = selector::to_query(&value["spec"]["selector"]);
    let pods = look::all::<Pod>(&scope.api(cluster), &ListParams::default().labels(&selector))
        .await
        .map_err(|error| cluster.explain(format!("list the pods of {workload}"), error))?;
    // Others may have the same labels. A Deployment's pods belong to its ReplicaSets, so there the selector decides alone.
    let uid = value["metadata"]["uid"].as_str();
    let own = |pod: &Pod| {
        let controller = look::controller(pod.owner_references()).map(|owner| owner.uid.as_str());
        controller.is_some() && (workload.kind == Kind::Deployment || controller == uid)
    };
    Ok(pods
        .into_iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_none() && own(pod))
        .collect())
}
