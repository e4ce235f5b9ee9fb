//! Where a service's connections go, seen from the agent's pod.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Place, Wanted};
use crate::plan::OutboundService;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::session) enum Route {
    /// A cluster address: nothing has to be looked up.
    Address { ip: IpAddr, port: u16 },
    /// A name, looked up in the pod.
    Name { host: String, port: u16 },
    /// A headless service whose pods name the port; its endpoints know the number.
    Endpoints { host: String, port_name: Option<String>, fallback: u16 },
}

/// The listeners that `service` needs: one for each TCP port.
pub(in crate::session) fn wanted_by(service: &Service) -> Vec<Wanted> {
    let Some(spec) = &service.spec else { return Vec::new() };
    let (Some(name), Some(namespace)) = (&service.metadata.name, &service.metadata.namespace)
    else {
        return Vec::new();
    };
    let external = (spec.type_.as_deref() == Some("ExternalName"))
        .then(|| spec.external_name.clone().unwrap_or_default());
    let cluster_ip: Option<IpAddr> = spec.cluster_ip.as_deref().and_then(|ip| ip.parse().ok());
    let tcp = |port: &&ServicePort| port.protocol.as_deref().unwrap_or("TCP") == "TCP";
    let ports = spec.ports.iter().flatten().filter(tcp);
    ports
        .filter_map(|port| {
            let number = u16::try_from(port.port).ok()?;
            let host = || format!("{name}.{namespace}.svc");
            let route = match (&external, cluster_ip, &port.target_port) {
                (Some(external), _, _) => Route::Name { host: external.clone(), port: number },
                (None, Some(ip), _) => Route::Address { ip, port: number },
                (None, None, Some(IntOrString::Int(target))) => {
                    Route::Name { host: host(), port: u16::try_from(*target).unwrap_or(number) }
                }
                (None, None, Some(IntOrString::String(_))) => Route::Endpoints {
                    host: host(),
                    port_name: port.name.clone(),
                    fallback: number,
                },
                (None, None, None) => Route::Name { host: host(), port: number },
            };
            let place = Place { namespace: namespace.clone(), service: name.clone(), port: number };
            Some(Wanted { place, name: port.name.clone(), route })
        })
        .collect()
}

/// The same from the plan, for services that may not be watched.
pub(in crate::session) fn wanted_by_plan(service: &OutboundService) -> Vec<Wanted> {
    let host = || format!("{}.{}.svc", service.name, service.namespace);
    let wanted = service.ports.iter().map(|port| {
        let route = match service.cluster_ip {
            Some(ip) => Route::Address { ip, port: port.port },
            None => Route::Name { host: host(), port: port.target.unwrap_or(port.port) },
        };
        let place = Place {
            namespace: service.namespace.clone(),
            service: service.name.clone(),
            port: port.port,
        };
        Wanted { place, name: port.name.clone(), route }
    });
    wanted.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn routes(spec: Value) -> Vec<(u16, Route)> {
        let service = json!({"metadata": {"name": "db", "namespace": "shop"}, "spec": spec});
        let service: Service = serde_json::from_value(service).unwrap();
        wanted_by(&service).into_iter().map(|wanted| (wanted.place.port, wanted.route)).collect()
    }

    fn name(host: &str, port: u16) -> Route {
        Route::Name { host: host.into(), port }
    }

    #[test]
    fn a_cluster_address_needs_no_name() {
        let ports = json!([{"port": 80, "targetPort": "http"}, {"port": 53, "protocol": "UDP"}, {"port": 81}]);
        let ip = "10.96.0.7".parse().unwrap();
        assert_eq!(
            routes(json!({"clusterIP": "10.96.0.7", "ports": ports})),
            [(80, Route::Address { ip, port: 80 }), (81, Route::Address { ip, port: 81 })]
        );
    }

    #[test]
    fn a_headless_service_is_reached_on_its_pods_port() {
        let ports = json!([{"port": 80, "targetPort": 8080}, {"port": 81}, {"port": 82, "name": "web", "targetPort": "http"}]);
        let host = "db.shop.svc";
        let named =
            Route::Endpoints { host: host.into(), port_name: Some("web".into()), fallback: 82 };
        assert_eq!(
            routes(json!({"clusterIP": "None", "ports": ports})),
            [(80, name(host, 8080)), (81, name(host, 81)), (82, named)]
        );
    }

    #[test]
    fn an_external_name_is_reached_by_it() {
        let spec = json!({"type": "ExternalName", "externalName": "db.example.com", "ports": [{"port": 5432}]});
        assert_eq!(routes(spec), [(5432, name("db.example.com", 5432))]);
        assert!(
            routes(json!({"type": "ExternalName", "externalName": "db.example.com"})).is_empty()
        );
    }
}
