//! Which records each object gives. Sections are those of the Kubernetes DNS specification 1.1.0.

use std::{net::IpAddr, sync::Arc};

use hickory_proto::rr::{
    Name, RData,
    rdata::{A, AAAA, CNAME, PTR, SRV, TXT},
};
use k8s_openapi::api::core::v1::{
    EndpointAddress, EndpointSubset, Endpoints, Pod, Service, ServicePort,
};
use kube::ResourceExt;

use super::Zone;

/// The objects of a cluster that have names.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) services: Vec<Arc<Service>>,
    pub(crate) endpoints: Vec<Arc<Endpoints>>,
    pub(crate) pods: Vec<Arc<Pod>>,
}

/// Weight of every SRV record, as CoreDNS gives it: all are alike.
const WEIGHT: u16 = 100;

impl Zone {
    pub(super) fn add(&mut self, objects: &Objects) {
        if let Some(name) = self.name(&["dns-version"]) {
            self.insert(&name, RData::TXT(TXT::new(vec!["1.1.0".to_owned()])));
        }
        for service in &objects.services {
            self.add_service(service, &objects.endpoints);
        }
        for pod in &objects.pods {
            self.add_pod(pod);
        }
    }

    fn add_service(&mut self, service: &Service, endpoints: &[Arc<Endpoints>]) -> Option<()> {
        let spec = service.spec.as_ref()?;
        let namespace = service.namespace()?;
        let name = self.name(&[&service.name_any(), &namespace, "svc"])?;
        if spec.type_.as_deref() == Some("ExternalName") {
            return self.add_alias(&name, spec.external_name.as_deref()?);
        }
        let cluster_ip = spec.cluster_ip.as_deref().unwrap_or_default();
        if cluster_ip == "None" {
            let own = |endpoints: &&Arc<Endpoints>| {
                endpoints.name_any() == service.name_any()
                    && endpoints.namespace().as_ref() == Some(&namespace)
            };
            let unready_too = spec.publish_not_ready_addresses == Some(true);
            for subset in endpoints
                .iter()
                .filter(own)
                .filter_map(|endpoints| endpoints.subsets.as_ref())
                .flatten()
            {
                self.add_endpoints(&name, subset, unready_too);
            }
            return Some(());
        }
        // 1.20 without dual stack has the one address only, and a service that was just made has none yet.
        let addresses = spec.cluster_ips.iter().flatten().map(String::as_str).chain([cluster_ip]);
        for address in addresses.filter_map(|address| address.parse().ok()) {
            self.add_address(&name, address);
            self.insert(&Name::from(address), RData::PTR(PTR(name.clone())));
        }
        for port in spec.ports.iter().flatten() {
            self.add_port(&name, port);
        }
        Some(())
    }

    /// 2.5, with CoreDNS's exception: an address as external name is an address.
    fn add_alias(&mut self, name: &Name, target: &str) -> Option<()> {
        match target.parse() {
            Ok(address) => self.add_address(name, address),
            Err(_) => {
                let mut target = Name::from_ascii(target).ok()?;
                target.set_fqdn(true);
                self.insert(name, RData::CNAME(CNAME(target)));
            }
        }
        Some(())
    }

    /// 2.3.2.
    fn add_port(&mut self, service: &Name, port: &ServicePort) -> Option<()> {
        let name = port_name(service, port.name.as_deref()?, port.protocol.as_deref())?;
        let number = u16::try_from(port.port).ok()?;
        self.insert(&name, RData::SRV(SRV::new(0, WEIGHT, number, service.clone())));
        Some(())
    }

    /// 2.4. A service whose endpoints are all unready has no records, so that its name does not exist, as 2.4.1 wants it.
    fn add_endpoints(&mut self, service: &Name, subset: &EndpointSubset, unready_too: bool) {
        let unready = subset.not_ready_addresses.iter().flatten().filter(|_| unready_too);
        for endpoint in subset.addresses.iter().flatten().chain(unready) {
            let Ok(address) = endpoint.ip.parse() else { continue };
            let Ok(name) = service.prepend_label(host_label(endpoint).as_bytes()) else { continue };
            self.add_address(service, address);
            self.add_address(&name, address);
            self.insert(&Name::from(address), RData::PTR(PTR(name.clone())));
            for port in subset.ports.iter().flatten() {
                let at = port
                    .name
                    .as_deref()
                    .and_then(|label| port_name(service, label, port.protocol.as_deref()));
                if let (Some(at), Ok(number)) = (at, u16::try_from(port.port)) {
                    self.insert(&at, RData::SRV(SRV::new(0, WEIGHT, number, name.clone())));
                }
            }
        }
    }

    /// 2.6 (deprecated, but asked for), for pods that exist, as CoreDNS does in its mode `verified`.
    fn add_pod(&mut self, pod: &Pod) -> Option<()> {
        let status = pod.status.as_ref()?;
        if matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
            return None;
        }
        let namespace = pod.namespace()?;
        let all = status
            .pod_ips
            .iter()
            .flatten()
            .map(|ip| ip.ip.as_str())
            .chain(status.pod_ip.as_deref());
        for address in all.filter_map(|address| address.parse().ok()) {
            let name = self.name(&[&dashed(address), &namespace, "pod"])?;
            self.add_address(&name, address);
        }
        Some(())
    }

    fn add_address(&mut self, name: &Name, address: IpAddr) {
        let data = match address {
            IpAddr::V4(address) => RData::A(A(address)),
            IpAddr::V6(address) => RData::AAAA(AAAA(address)),
        };
        self.insert(name, data);
    }

    /// A name of the cluster's domain; none where the labels make no name.
    fn name(&self, labels: &[&str]) -> Option<Name> {
        Name::from_labels(labels.iter().map(|label| label.as_bytes()))
            .ok()?
            .append_domain(&self.domain)
            .ok()
    }
}

fn port_name(service: &Name, port: &str, protocol: Option<&str>) -> Option<Name> {
    let protocol = protocol.unwrap_or("TCP").to_ascii_lowercase();
    service
        .prepend_label(format!("_{protocol}").as_bytes())
        .ok()?
        .prepend_label(format!("_{port}").as_bytes())
        .ok()
}

/// The endpoint's hostname (a StatefulSet's pod has one), else its address: unique in the service, as 2.1 asks.
fn host_label(endpoint: &EndpointAddress) -> String {
    match &endpoint.hostname {
        Some(hostname) if !hostname.is_empty() => hostname.clone(),
        _ => endpoint.ip.replace(['.', ':'], "-"),
    }
}

fn dashed(address: IpAddr) -> String {
    address.to_string().replace(['.', ':'], "-")
}
