//! Rows of namespaces and services.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;
use serde::Serialize;

use super::created;

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamespaceRow {
    /// Its name.
    pub name: String,
    /// `Active` or `Terminating`.
    pub phase: String,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceRow {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its cluster address; `None` where it has none (headless, ExternalName).
    pub cluster_ip: Option<String>,
    /// Its ports.
    pub ports: Vec<Port>,
    /// The labels of its pods; empty: it chooses none by itself.
    pub selector: BTreeMap<String, String>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// A port of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Its name.
    pub name: Option<String>,
    /// The service's own port.
    pub port: u16,
    /// The pods' port, by number or name.
    pub target: String,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
}

impl From<Namespace> for NamespaceRow {
    fn from(namespace: Namespace) -> Self {
        Self {
            name: namespace.name_any(),
            created: created(&namespace),
            phase: namespace.status.and_then(|status| status.phase).unwrap_or_default(),
        }
    }
}

impl From<Service> for ServiceRow {
    fn from(service: Service) -> Self {
        let (namespace, name) = (service.namespace().unwrap_or_default(), service.name_any());
        let created = created(&service);
        let spec = service.spec.unwrap_or_default();
        Self {
            namespace,
            name,
            kind: spec.type_.unwrap_or_else(|| "ClusterIP".to_owned()),
            cluster_ip: spec.cluster_ip.filter(|ip| !ip.is_empty() && ip != "None"),
            ports: spec.ports.unwrap_or_default().into_iter().filter_map(Port::of).collect(),
            selector: spec.selector.unwrap_or_default(),
            created,
        }
    }
}

impl Port {
    fn of(port: ServicePort) -> Option<Self> {
        let number = u16::try_from(port.port).ok()?;
        let target = match port.target_port {
            Some(IntOrString::Int(target)) if target != 0 => target.to_string(),
            Some(IntOrString::String(target)) if !target.is_empty() => target,
            _ => number.to_string(),
        };
        let protocol = port.protocol.unwrap_or_else(|| "TCP".to_owned());
        Some(Self {
            name: port.name.filter(|name| !name.is_empty()),
            port: number,
            target,
            protocol,
        })
    }
}
