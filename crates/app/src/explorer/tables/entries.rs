//! What is kept of each object.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod, Service};
use kube::ResourceExt;
use kube::api::DynamicObject;
use serde_json::Value;
use towline_core::look::{PodRow, Port, ServiceRow, WorkloadRow};
use towline_workload::Kind;

use super::tally::Tally;

/// Namespace and name.
pub(in crate::explorer) type Name = (String, String);

/// A service.
pub(super) struct ServiceEntry {
    pub(super) row: ServiceRow,
    /// `ClusterIP`, `Headless`, …
    pub(super) kind: String,
    pub(super) ports: Vec<String>,
    pub(super) tally: Tally,
    pub(super) seen: u32,
}

/// A workload.
pub(super) struct WorkloadEntry {
    pub(super) row: WorkloadRow,
    pub(super) ports: Vec<String>,
    pub(super) seen: u32,
}

/// A pod.
pub(super) struct PodEntry {
    pub(super) row: PodRow,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) containers: Vec<String>,
    pub(super) ports: Vec<String>,
    /// Whether it takes connections; `None`: it does not count, having done its work or being on the way out.
    pub(super) ready: Option<bool>,
    pub(super) seen: u32,
}

impl ServiceEntry {
    pub(super) fn new(service: Service, seen: u32) -> Self {
        let headless =
            service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref()) == Some("None");
        let row = ServiceRow::from(service);
        let kind = if headless { "Headless".to_owned() } else { row.kind.clone() };
        let ports = row.ports.iter().map(service_port).collect();
        Self { row, kind, ports, tally: Tally::default(), seen }
    }
}

impl WorkloadEntry {
    pub(super) fn new(kind: Kind, object: &DynamicObject, seen: u32) -> Self {
        let containers = object.data.pointer(&format!("{}/spec/containers", kind.template()));
        let containers = containers.and_then(Value::as_array).into_iter().flatten();
        let ports = containers.flat_map(|container| container["ports"].as_array()).flatten();
        let shown = ports.filter_map(|port| {
            let number = port["containerPort"].as_i64()?;
            Some(container_port(port["name"].as_str(), number, port["protocol"].as_str()))
        });
        Self { row: WorkloadRow::of(kind, object), ports: shown.collect(), seen }
    }

    pub(super) fn of_pod(pod: &Pod, entry: &PodEntry, seen: u32) -> Self {
        Self { row: WorkloadRow::from(pod), ports: entry.ports.clone(), seen }
    }

    pub(super) fn created(&self) -> Option<Timestamp> {
        self.row.created
    }
}

impl PodEntry {
    pub(super) fn new(pod: &Pod, seen: u32) -> Self {
        let row = PodRow::of(pod);
        let containers = || pod.spec.iter().flat_map(|spec| &spec.containers);
        Self {
            labels: pod.labels().clone(),
            containers: containers().map(|container| container.name.clone()).collect(),
            ports: containers().flat_map(ports).collect(),
            ready: ready(pod),
            row,
            seen,
        }
    }

    /// The ReplicaSet that controls it directly.
    pub(super) fn set(&self) -> Option<&str> {
        self.row.owner.as_deref()?.strip_prefix("replicaset/")
    }
}

fn ready(pod: &Pod) -> Option<bool> {
    let status = pod.status.as_ref()?;
    let done = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    if done || pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let mut conditions = status.conditions.iter().flatten();
    Some(conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True"))
}

fn ports(container: &Container) -> impl Iterator<Item = String> {
    container.ports.iter().flatten().map(|port| {
        container_port(port.name.as_deref(), port.container_port.into(), port.protocol.as_deref())
    })
}

/// As `8080/TCP` or `http 8080/TCP`.
fn container_port(name: Option<&str>, number: i64, protocol: Option<&str>) -> String {
    let port = format!("{number}/{}", protocol.unwrap_or("TCP"));
    named(name, port)
}

/// As `80/TCP` or `http 80→8080/TCP`.
fn service_port(port: &Port) -> String {
    let number = port.port.to_string();
    let ways = if port.target == number { number } else { format!("{number}→{}", port.target) };
    named(port.name.as_deref(), format!("{ways}/{}", port.protocol))
}

fn named(name: Option<&str>, port: String) -> String {
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("{name} {port}"),
        None => port,
    }
}
