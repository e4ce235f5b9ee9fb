//! Which of a pod's containers is meant.

use k8s_openapi::api::core::v1::{Container, PodSpec, Service};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::cluster::list;
use crate::request::{PortMapping, RemotePort, UdpPort};

/// What speaks for one container or another, besides their being there.
pub(super) struct Evidence<'a> {
    /// What the user says.
    pub(super) requested: Option<&'a str>,
    /// What the workload's author says: the annotation that kubectl goes by (KEP-2227).
    pub(super) annotated: Option<&'a str>,
    /// The service that the user named.
    pub(super) service: Option<&'a Service>,
    /// The ports that the user named.
    pub(super) ports: &'a [PortMapping],
}

/// The container is not there, or several could be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContainerError {
    /// No such container.
    #[error("there is no container '{name}'; there are {}", list(.known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The containers, with image and ports.
        known: Vec<String>,
    },
    /// An init container or an ephemeral one.
    #[error("'{0}' is an init or ephemeral container, which takes no traffic; there are {known}", known = list(.1))]
    NotServing(String, Vec<String>),
    /// Several, and nothing speaks for one of them.
    #[error("the pod has several containers: {}", list(.0))]
    Several(Vec<String>),
}

impl ContainerError {
    pub(super) fn hint(&self) -> &'static str {
        "Choose one with --container NAME."
    }
}

/// The container that is meant.
pub(super) fn choose(spec: &PodSpec, evidence: &Evidence<'_>) -> Result<String, ContainerError> {
    let containers = &spec.containers;
    let named = |name: &str| {
        containers.iter().find(|container| container.name == name).map(|found| found.name.clone())
    };
    let known = || containers.iter().map(describe).collect::<Vec<_>>();
    if let Some(name) = evidence.requested {
        let init = spec.init_containers.iter().flatten().any(|container| container.name == name);
        let ephemeral =
            spec.ephemeral_containers.iter().flatten().any(|container| container.name == name);
        return match named(name) {
            Some(name) => Ok(name),
            None if init || ephemeral => Err(ContainerError::NotServing(name.to_owned(), known())),
            None => Err(ContainerError::Unknown { name: name.to_owned(), known: known() }),
        };
    }
    if let [only] = containers.as_slice() {
        return Ok(only.name.clone());
    }
    evidence
        .annotated
        .and_then(named)
        .or_else(|| only_one(containers, &service_targets(evidence.service)))
        .or_else(|| {
            only_one(
                containers,
                &evidence.ports.iter().map(|port| port.remote.clone()).collect::<Vec<_>>(),
            )
        })
        .ok_or_else(|| ContainerError::Several(known()))
}

/// The one container that declares any of these ports.
fn only_one(containers: &[Container], ports: &[RemotePort]) -> Option<String> {
    let mut declaring =
        containers.iter().filter(|container| ports.iter().any(|port| declares(container, port)));
    let first = declaring.next()?;
    declaring.next().is_none().then(|| first.name.clone())
}

pub(super) fn declares(container: &Container, port: &RemotePort) -> bool {
    container.ports.iter().flatten().any(|declared| match port {
        RemotePort::Number(number) => declared.container_port == i32::from(*number),
        RemotePort::Udp(UdpPort(number)) => {
            declared.container_port == i32::from(number.get())
                && declared.protocol.as_deref() == Some("UDP")
        }
        RemotePort::Name(name) => declared.name.as_ref() == Some(name),
    })
}

fn service_targets(service: Option<&Service>) -> Vec<RemotePort> {
    let ports = service.and_then(|service| service.spec.as_ref()?.ports.as_ref());
    ports
        .into_iter()
        .flatten()
        .filter_map(|port| target(port.target_port.as_ref(), port.port))
        .collect()
}

/// A service port's target; the same number where it says none.
pub(super) fn target(target: Option<&IntOrString>, port: i32) -> Option<RemotePort> {
    match target {
        Some(IntOrString::String(name)) if !name.is_empty() => Some(RemotePort::Name(name.clone())),
        Some(IntOrString::Int(number)) if *number != 0 => {
            u16::try_from(*number).ok().map(RemotePort::Number)
        }
        _ => u16::try_from(port).ok().map(RemotePort::Number),
    }
}

fn describe(container: &Container) -> String {
    let image = container.image.as_deref().unwrap_or("no image");
    let ports: Vec<String> =
        container.ports.iter().flatten().map(|port| port.container_port.to_string()).collect();
    match ports.as_slice() {
        [] => format!("{} ({image}, no ports)", container.name),
        [port] => format!("{} ({image}, port {port})", container.name),
        several => format!("{} ({image}, ports {})", container.name, several.join(" ")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec() -> PodSpec {
        serde_json::from_value(json!({
            "initContainers": [{"name": "migrate"}],
            "containers": [
                {"name": "proxy", "image": "envoy:1", "ports": [{"containerPort": 15001}]},
                {"name": "app", "image": "shop:2", "ports": [{"containerPort": 8080, "name": "http"}, {"containerPort": 9090}]},
            ],
        }))
        .unwrap()
    }

    fn none<'a>() -> Evidence<'a> {
        Evidence { requested: None, annotated: None, service: None, ports: &[] }
    }

    #[test]
    fn what_is_asked_for_comes_first() {
        let annotated = Some("app");
        assert_eq!(
            choose(&spec(), &Evidence { requested: Some("proxy"), annotated, ..none() }).unwrap(),
            "proxy"
        );
        let error = choose(&spec(), &Evidence { requested: Some("appp"), ..none() }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no container 'appp'; there are proxy (envoy:1, port 15001), app (shop:2, ports 8080 9090)"
        );
        let error =
            choose(&spec(), &Evidence { requested: Some("migrate"), ..none() }).unwrap_err();
        assert!(matches!(error, ContainerError::NotServing(..)), "{error}");
    }

    #[test]
    fn evidence_decides_and_names_do_not() {
        assert!(
            matches!(choose(&spec(), &none()), Err(ContainerError::Several(known)) if known.len() == 2)
        );
        assert_eq!(choose(&spec(), &Evidence { annotated: Some("app"), ..none() }).unwrap(), "app");
        let service = |ports: serde_json::Value| -> Service {
            serde_json::from_value(json!({"metadata": {"name": "app"}, "spec": {"ports": ports}}))
                .unwrap()
        };
        let by_name = service(json!([{"port": 80, "targetPort": "http"}]));
        assert_eq!(
            choose(&spec(), &Evidence { service: Some(&by_name), ..none() }).unwrap(),
            "app"
        );
        let by_number = service(json!([{"port": 9090}]));
        assert_eq!(
            choose(&spec(), &Evidence { service: Some(&by_number), ..none() }).unwrap(),
            "app"
        );
        let both =
            service(json!([{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 15001}]));
        assert!(choose(&spec(), &Evidence { service: Some(&both), ..none() }).is_err());
        let ports = ["15001:1".parse().unwrap()];
        assert_eq!(choose(&spec(), &Evidence { ports: &ports, ..none() }).unwrap(), "proxy");
        let undeclared = ["1".parse().unwrap()];
        assert!(choose(&spec(), &Evidence { ports: &undeclared, ..none() }).is_err());
    }

    #[test]
    fn one_container_needs_no_evidence() {
        let mut spec = spec();
        spec.containers.truncate(1);
        assert_eq!(choose(&spec, &none()).unwrap(), "proxy");
    }
}
