//! Reading a workload and its pods.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::Client;
use kube::api::{Api, DynamicObject};
use kube::core::Selector;
use serde_json::Value;

use super::observe::Selection;
use super::request::RequestError;
use crate::{Kind, WorkloadRef};

/// Reads the workload as JSON; `None` where it does not exist.
///
/// # Errors
/// What the API server answers.
pub async fn workload_value(
    client: &Client,
    workload: &WorkloadRef,
) -> Result<Option<Value>, RequestError> {
    let failed = |error| RequestError::new(format!("reading {workload}"), error);
    let object = workload.api(client.clone()).get_opt(&workload.name).await.map_err(failed)?;
    object
        .map(|object| serde_json::to_value(object).map_err(kube::Error::SerdeError))
        .transpose()
        .map_err(failed)
}

/// Lists the workload's own pods as JSON, those with and those without an agent. `value` is the workload as read.
///
/// # Errors
/// What the API server answers.
pub async fn pods_of(
    client: &Client,
    workload: &WorkloadRef,
    value: &Value,
) -> Result<Vec<Value>, RequestError> {
    let failed = |error| RequestError::new(format!("listing the pods of {workload}"), error);
    let api = pods_api(client, &workload.namespace);
    let list = api.list(&selection(workload, value).list()).await.map_err(failed)?;
    let values = list.items.into_iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>();
    let values = values.map_err(|error| failed(kube::Error::SerdeError(error)))?;
    Ok(values.into_iter().filter(|pod| belongs(workload.kind, value, pod)).collect())
}

pub(crate) fn pods_api(client: &Client, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, &Kind::Pod.api_resource())
}

/// Which pods may be the workload's; [`belongs`] decides.
pub(crate) fn selection(workload: &WorkloadRef, value: &Value) -> Selection {
    if workload.kind == Kind::Pod {
        return Selection::named(&workload.name);
    }
    let selector = value.pointer("/spec/selector").cloned().unwrap_or_default();
    let selector: LabelSelector = serde_json::from_value(selector).unwrap_or_default();
    Selector::try_from(selector).map_or_else(|_| Selection::default(), |s| Selection::matching(&s))
}

/// Whether the workload's controller made the pod. A Deployment's pods belong to its replica sets, so there the selector decides alone.
pub(crate) fn belongs(kind: Kind, workload: &Value, pod: &Value) -> bool {
    if matches!(kind, Kind::Deployment | Kind::Pod) {
        return true;
    }
    let Some(uid) = workload.pointer("/metadata/uid") else { return false };
    let owners = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    owners.into_iter().flatten().any(|owner| owner.get("uid") == Some(uid))
}
