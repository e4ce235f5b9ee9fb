//! Whose logs: from a target to the pods that it has, now and later.

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::Api;
use kube::core::Selector;
use kube::runtime::watcher;
use serde::Deserialize;
use serde_json::Value;
use towline_core::cluster::Cluster;
use towline_core::report::Code;
use towline_core::request::{Target, TargetKind};
use towline_workload::{Kind, WorkloadRef};

use crate::report::{explained, failure};
use crate::view::Report;

/// Some pods of a namespace.
#[derive(Clone, Debug)]
pub(super) struct Pods {
    pub(super) namespace: String,
    /// Which of them.
    pub(super) config: watcher::Config,
}

/// The pods of `target`.
pub(super) async fn find(cluster: &Cluster, namespace: &str, target: &str) -> Result<Pods, Report> {
    let target: Target =
        target.parse().map_err(|error| failure(Code::Input, format!("{error}."), None))?;
    let kind = match target.kind {
        None | Some(TargetKind::Service) => {
            return of_service(cluster, namespace, &target.name).await;
        }
        Some(TargetKind::Pod) => return Ok(named(namespace, &target.name)),
        Some(TargetKind::Deployment) => Kind::Deployment,
        Some(TargetKind::StatefulSet) => Kind::StatefulSet,
        Some(TargetKind::DaemonSet) => Kind::DaemonSet,
        Some(TargetKind::ReplicaSet) => Kind::ReplicaSet,
    };
    let workload = WorkloadRef { kind, namespace: namespace.to_owned(), name: target.name };
    let value =
        towline_workload::workload_value(&cluster.client(), &workload).await.map_err(|error| {
            failure(Code::Api, format!("Could not read {workload}: {error}."), None)
        })?;
    let found = value.and_then(|value| of_workload(&workload, &value));
    found.ok_or_else(|| unknown(&workload.to_string()))
}

/// The pods of a workload.
pub(super) fn of_workload(workload: &WorkloadRef, value: &Value) -> Option<Pods> {
    if workload.kind == Kind::Pod {
        return Some(named(&workload.namespace, &workload.name));
    }
    let labels = LabelSelector::deserialize(&value["spec"]["selector"]).ok()?;
    Some(labelled(&workload.namespace, &Selector::try_from(labels).ok()?))
}

async fn of_service(cluster: &Cluster, namespace: &str, name: &str) -> Result<Pods, Report> {
    let api: Api<Service> = Api::namespaced(cluster.client(), namespace);
    let doing = format!("read the service {name} in namespace {namespace}");
    let service = api.get_opt(name).await;
    let service = service.map_err(|error| explained(&cluster.explain(doing, error)))?;
    let what = format!("service {name} in namespace {namespace}");
    let service = service.ok_or_else(|| unknown(&what))?;
    let labels = service.spec.and_then(|spec| spec.selector).unwrap_or_default();
    if labels.is_empty() {
        let message = format!("The {what} has no selector, so no pods belong to it.");
        return Err(failure(Code::TargetUnsuitable, message, None));
    }
    Ok(labelled(namespace, &labels.into_iter().collect()))
}

fn named(namespace: &str, name: &str) -> Pods {
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    Pods { namespace: namespace.to_owned(), config }
}

fn labelled(namespace: &str, labels: &Selector) -> Pods {
    let config = watcher::Config::default().labels_from(labels);
    Pods { namespace: namespace.to_owned(), config }
}

fn unknown(what: &str) -> Report {
    failure(Code::TargetUnknown, format!("There is no {what} any more."), None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_workloads_pods_are_those_that_it_selects() {
        let workload = |kind| WorkloadRef { kind, namespace: "shop".into(), name: "orders".into() };
        let value = json!({"spec": {"selector": {
            "matchLabels": {"app": "orders"},
            "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["canary"]}],
        }}});
        let pods = of_workload(&workload(Kind::Deployment), &value).unwrap();
        let labels = pods.config.label_selector.unwrap();
        assert!(
            labels.contains("app=orders") && labels.contains("tier notin (canary)"),
            "{labels}"
        );
        let pods = of_workload(&workload(Kind::Pod), &json!({})).unwrap();
        assert_eq!(pods.config.field_selector.as_deref(), Some("metadata.name=orders"));
        assert!(of_workload(&workload(Kind::StatefulSet), &json!({"spec": {}})).is_none());
    }
}
