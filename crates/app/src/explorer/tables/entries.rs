//! What is kept of each object. Names are the keys that the entries are kept by.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod, Service};
use kube::ResourceExt;
use kube::api::DynamicObject;
use serde_json::Value;
use towline_core::look::{PodRow, Port, ServiceRow, WorkloadRow};
use towline_workload::{Kind, SessionRecord};

use super::pool::{Labels, Pool};
use super::tally::Tally;

/// Namespace and name.
pub(super) type Name = (Arc<str>, Arc<str>);

/// A service.
pub(super) struct ServiceEntry {
    pub(super) row: ServiceRow,
    /// `ClusterIP`, `Headless`, …
    pub(super) kind: String,
    pub(super) ports: Vec<String>,
    pub(super) tally: Tally,
    pub(super) seen: u32,
}

/// What is kept of the containers of a pod, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Containers {
    /// Only of pods.
    pub(super) names: Vec<String>,
    pub(super) images: Vec<String>,
    pub(super) ports: Vec<String>,
}

/// A workload.
pub(super) struct WorkloadEntry {
    pub(super) ready: u32,
    pub(super) desired: u32,
    pub(super) containers: Arc<Containers>,
    pub(super) session: Option<Box<SessionRecord>>,
    pub(super) created: Option<Timestamp>,
    pub(super) seen: u32,
}

/// A pod.
pub(super) struct PodEntry {
    pub(super) status: Arc<str>,
    pub(super) ready_containers: u32,
    pub(super) restarts: u32,
    /// What controls it directly, as `replicaset/orders-7c9`.
    pub(super) owner: Option<Arc<str>>,
    pub(super) node: Option<Arc<str>>,
    /// The session whose agent runs in it.
    pub(super) session: Option<Arc<str>>,
    pub(super) created: Option<Timestamp>,
    pub(super) labels: Arc<Labels>,
    pub(super) containers: Arc<Containers>,
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
    pub(super) fn new(kind: Kind, object: &DynamicObject, seen: u32, pool: &mut Pool) -> Self {
        let containers = object.data.pointer(&format!("{}/spec/containers", kind.template()));
        let containers = containers.and_then(Value::as_array).into_iter().flatten();
        let ports = containers.flat_map(|container| container["ports"].as_array()).flatten();
        let shown = ports.filter_map(|port| {
            let number = port["containerPort"].as_i64()?;
            Some(container_port(port["name"].as_str(), number, port["protocol"].as_str()))
        });
        let mut row = WorkloadRow::of(kind, object);
        let images = std::mem::take(&mut row.images);
        let containers = Containers { names: Vec::new(), images, ports: shown.collect() };
        Self::of(row, pool.containers.of(containers), seen)
    }

    /// A pod that nothing controls.
    pub(super) fn of_pod(pod: &Pod, entry: &PodEntry, seen: u32) -> Self {
        Self::of(WorkloadRow::from(pod), entry.containers.clone(), seen)
    }

    fn of(row: WorkloadRow, containers: Arc<Containers>, seen: u32) -> Self {
        let WorkloadRow { ready, desired, session, created, .. } = row;
        Self { ready, desired, containers, session: session.map(Box::new), created, seen }
    }
}

impl PodEntry {
    pub(super) fn new(pod: &Pod, seen: u32, pool: &mut Pool) -> Self {
        let row = PodRow::of(pod);
        let containers = || pod.spec.iter().flat_map(|spec| &spec.containers);
        let kept = Containers {
            names: containers().map(|container| container.name.clone()).collect(),
            images: containers().filter_map(|container| container.image.clone()).collect(),
            ports: containers().flat_map(ports).collect(),
        };
        Self {
            status: pool.words.of(row.status),
            ready_containers: row.ready,
            restarts: row.restarts,
            owner: pool.word(row.owner.as_deref()),
            node: pool.word(row.node.as_deref()),
            session: pool.word(row.session.as_deref()),
            created: row.created,
            labels: pool.labels.of(pod.labels().clone()),
            containers: pool.containers.of(kept),
            ready: ready(pod),
            seen,
        }
    }

    /// The ReplicaSet that controls it directly.
    pub(super) fn set(&self) -> Option<&str> {
        self.owner.as_deref()?.strip_prefix("replicaset/")
    }

    /// How many containers are ready, of how many.
    pub(super) fn share(&self) -> (u32, u32) {
        (self.ready_containers, super::count(self.containers.names.len()))
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
