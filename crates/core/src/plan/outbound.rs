//! The services that the local program can reach.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{
    EndpointPort, EndpointSubset, Endpoints, Service, ServicePort as RawPort,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;
use towline_wire::Protocol;

use super::{OutboundService, ServicePod, ServicePort};

impl OutboundService {
    /// The service with its TCP and UDP ports; `None` where it has none.
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
        (!ports.is_empty()).then_some(Self { namespace, name, cluster_ip, ports, pods: Vec::new() })
    }

    /// Whether its name leads to its pods.
    pub fn is_headless(service: &Service) -> bool {
        let spec = service.spec.as_ref();
        spec.is_some_and(|spec| {
            spec.cluster_ip.as_deref() == Some("None")
                && spec.type_.as_deref() != Some("ExternalName")
        })
    }

    /// Adds what only a headless service's endpoints know: its pods' names, and the ports on which they listen. In the cluster those are the ports to
    /// connect to, so they are had here as well, beside the service's own.
    pub fn add_endpoints(&mut self, endpoints: &Endpoints) {
        self.pods = endpoints.subsets.iter().flatten().flat_map(ServicePod::of).collect();
        self.pods.sort_by(|a, b| a.name.cmp(&b.name));
        self.pods.dedup_by(|a, b| a.name == b.name);
        let numbers = endpoints.subsets.iter().flatten().flat_map(endpoint_ports);
        let targets = self
            .ports
            .clone()
            .into_iter()
            .filter_map(|port| port.target.map(|number| (port.name, number, port.protocol)));
        let all: Vec<(Option<String>, u16, Protocol)> =
            numbers.map(|port| (port.name, port.port, port.protocol)).chain(targets).collect();
        for port in &mut self.ports {
            let real = all
                .iter()
                .find(|(name, _, protocol)| *name == port.name && *protocol == port.protocol)
                .map(|(_, number, _)| *number);
            port.target = real.filter(|number| *number != port.port);
        }
        for (name, number, protocol) in all {
            let same =
                |known: &&mut ServicePort| (known.port, known.protocol) == (number, protocol);
            match self.ports.iter_mut().find(same) {
                // Whoever connects to this port of a pod gets what listens on it.
                Some(known) => known.target = None,
                None => self.ports.push(ServicePort { name, port: number, protocol, target: None }),
            }
        }
    }
}

impl ServicePod {
    fn of(subset: &EndpointSubset) -> Vec<Self> {
        let ports: Vec<ServicePort> = endpoint_ports(subset).collect();
        let addresses = subset.addresses.iter().flatten().filter_map(|address| {
            let name = address.hostname.clone().filter(|name| !name.is_empty())?;
            Some(Self { name, address: address.ip.parse().ok()?, ports: ports.clone() })
        });
        addresses.collect()
    }

    /// The ports at which the pod is reached here, and those that it listens on: each of its own, and the service's where they differ.
    pub fn ports(&self, service: &OutboundService) -> Vec<PodPort> {
        let own = |port: &ServicePort| PodPort {
            port: port.port,
            protocol: port.protocol,
            target: port.port,
        };
        let mut all: Vec<PodPort> = self.ports.iter().map(own).collect();
        for port in &service.ports {
            let (number, protocol) = (port.port, port.protocol);
            let is_known =
                all.iter().any(|known| (known.port, known.protocol) == (number, protocol));
            let mut alike =
                self.ports.iter().filter(|own| own.name == port.name && own.protocol == protocol);
            if let Some(real) = alike.next().filter(|_| !is_known) {
                all.push(PodPort { port: number, protocol, target: real.port });
            }
        }
        all
    }
}

/// A port at which a pod of a headless service is reached, and the one that it listens on.
pub struct PodPort {
    /// The port here.
    pub port: u16,
    /// What it speaks.
    pub protocol: Protocol,
    /// The pod's.
    pub target: u16,
}

fn endpoint_ports(subset: &EndpointSubset) -> impl Iterator<Item = ServicePort> {
    subset.ports.iter().flatten().filter_map(|port: &EndpointPort| {
        let name = port.name.clone().filter(|name| !name.is_empty());
        let protocol = Protocol::of(port.protocol.as_deref())?;
        Some(ServicePort { name, port: u16::try_from(port.port).ok()?, protocol, target: None })
    })
}

impl ServicePort {
    fn of(port: &RawPort, headless: bool) -> Option<Self> {
        let protocol = Protocol::of(port.protocol.as_deref())?;
        let number = u16::try_from(port.port).ok()?;
        let target = match port.target_port {
            Some(IntOrString::Int(target)) => u16::try_from(target).ok(),
            _ => None,
        };
        Some(Self {
            name: port.name.clone().filter(|name| !name.is_empty()),
            port: number,
            protocol,
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
        ServicePort { name: name.map(str::to_owned), port, protocol: Protocol::Tcp, target }
    }

    #[test]
    fn ports_are_reached_on_the_services_own_port() {
        let ports = json!([{"name": "http", "port": 80, "targetPort": 8080}, {"name": "dns", "port": 53, "protocol": "UDP"}]);
        let service = outbound(json!({"clusterIP": "10.96.1.2", "ports": ports})).unwrap();
        assert_eq!(service.cluster_ip, Some("10.96.1.2".parse().unwrap()));
        let udp = ServicePort { protocol: Protocol::Udp, ..port(Some("dns"), 53, None) };
        assert_eq!(service.ports, [port(Some("http"), 80, None), udp]);
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
    fn the_endpoints_of_a_headless_service_tell_its_pods_and_their_ports() {
        let ports = json!([{"name": "web", "port": 80, "targetPort": "http"}, {"name": "admin", "port": 81, "targetPort": 9000}]);
        let mut service = outbound(json!({"clusterIP": "None", "ports": ports})).unwrap();
        let endpoints = json!({"subsets": [{
            "addresses": [{"ip": "10.0.0.8", "hostname": "orders-1"}, {"ip": "10.0.0.7", "hostname": "orders-0"}, {"ip": "10.0.0.9"}],
            "ports": [{"name": "web", "port": 8080}, {"name": "admin", "port": 9000}, {"name": "dns", "port": 53, "protocol": "UDP"}],
        }]});
        service.add_endpoints(&serde_json::from_value(endpoints).unwrap());
        let names: Vec<&str> = service.pods.iter().map(|pod| pod.name.as_str()).collect();
        assert_eq!(names, ["orders-0", "orders-1"]);
        let numbers: Vec<u16> = service.ports.iter().map(|port| port.port).collect();
        assert_eq!(numbers, [80, 81, 8080, 9000, 53]);
        assert_eq!(service.ports[4].protocol, Protocol::Udp);
        let of_pod = service.pods[0].ports(&service);
        let told: Vec<String> = of_pod
            .iter()
            .map(|port| format!("{} {}>{}", port.protocol, port.port, port.target))
            .collect();
        assert_eq!(
            told,
            ["TCP 8080>8080", "TCP 9000>9000", "UDP 53>53", "TCP 80>8080", "TCP 81>9000"]
        );
    }

    #[test]
    fn nothing_to_reach_is_no_service() {
        assert_eq!(outbound(json!({"type": "ExternalName", "externalName": "example.com"})), None);
        assert_eq!(outbound(json!({"ports": [{"port": 9899, "protocol": "SCTP"}]})), None);
    }
}
