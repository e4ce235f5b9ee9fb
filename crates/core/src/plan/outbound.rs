//! The services that the local program can reach.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Service, ServicePort as RawPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;

use super::{OutboundService, ServicePort};

impl OutboundService {
    /// The service with its TCP ports; `None` where it has none.
    pub fn of(service: &Service) -> Option<Self> {
        let spec = service.spec.as_ref()?;
        let cluster_ip: Option<IpAddr> = spec.cluster_ip.as_deref().and_then(|ip| ip.parse().ok());
        let external = spec.type_.as_deref() == Some("ExternalName");
        // Without an address of its own the service's name leads to the pods themselves, and to their port.
        let headless = cluster_ip.is_none() && !external;
        let ports: Vec<ServicePort> = spec
            .ports
            .iter()
            .flatten()
            .filter_map(|port| ServicePort::of(port, headless))
            .collect();
        let (namespace, name) = (service.namespace().unwrap_or_default(), service.name_any());
        (!ports.is_empty()).then_some(Self { namespace, name, cluster_ip, ports })
    }
}

impl ServicePort {
    fn of(port: &RawPort, headless: bool) -> Option<Self> {
        if port.protocol.as_deref().is_some_and(|protocol| protocol != "TCP") {
            return None;
        }
        let number = u16::try_from(port.port).ok()?;
        let target = match port.target_port {
            Some(IntOrString::Int(target)) => u16::try_from(target).ok(),
            _ => None,
        };
        Some(Self {
            name: port.name.clone().filter(|name| !name.is_empty()),
            port: number,
            target: target.filter(|target| headless && *target != number && *target != 0),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn outbound(spec: serde_json::Value) -> Option<OutboundService> {
        let service = json!({"metadata": {"name": "orders", "namespace": "shop"}, "spec": spec});
        OutboundService::of(&serde_json::from_value(service).unwrap())
    }

    fn port(name: Option<&str>, port: u16, target: Option<u16>) -> ServicePort {
        ServicePort { name: name.map(str::to_owned), port, target }
    }

    #[test]
    fn tcp_ports_are_reached_on_the_services_own_port() {
        let ports = json!([{"name": "http", "port": 80, "targetPort": 8080}, {"name": "dns", "port": 53, "protocol": "UDP"}]);
        let service = outbound(json!({"clusterIP": "10.96.1.2", "ports": ports})).unwrap();
        assert_eq!(service.cluster_ip, Some("10.96.1.2".parse().unwrap()));
        assert_eq!(service.ports, [port(Some("http"), 80, None)]);
    }

    #[test]
    fn a_headless_service_leads_to_the_pods_port() {
        let ports = json!([{"port": 80, "targetPort": 8080}, {"port": 81, "targetPort": 81}, {"port": 82, "targetPort": "x"}]);
        let service = outbound(json!({"clusterIP": "None", "ports": ports})).unwrap();
        assert_eq!(service.cluster_ip, None);
        assert_eq!(
            service.ports,
            [port(None, 80, Some(8080)), port(None, 81, None), port(None, 82, None)]
        );
    }

    #[test]
    fn nothing_to_reach_is_no_service() {
        assert_eq!(outbound(json!({"type": "ExternalName", "externalName": "example.com"})), None);
        assert_eq!(outbound(json!({"ports": [{"port": 53, "protocol": "UDP"}]})), None);
    }
}
