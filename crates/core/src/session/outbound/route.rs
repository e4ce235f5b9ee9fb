//! Where a service's connections go, seen from the agent's pod.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::{Endpoints, Service};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use towline_wire::Protocol;

use super::{Place, Wanted};
use crate::names::Subject;
use crate::plan::{OutboundService, PodPort, ServicePort};
use crate::request::ExternalHost;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::session) enum Route {
    /// A cluster address: nothing has to be looked up.
    Address { ip: IpAddr, port: u16 },
    /// A name, looked up in the pod.
    Name { host: String, port: u16 },
    /// A headless service whose pods name the port; its endpoints know the number.
    Endpoints { host: String, port_name: Option<String>, fallback: u16 },
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { ip, port } => SocketAddr::new(*ip, *port).fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
            Self::Endpoints { host, port_name: Some(name), .. } => write!(f, "{host}:{name}"),
            Self::Endpoints { host, port_name: None, fallback } => write!(f, "{host}:{fallback}"),
        }
    }
}

/// The listeners that `service` needs: one for each TCP or UDP port.
pub(in crate::session) fn wanted_by(service: &Service) -> Vec<Wanted> {
    let Some(spec) = &service.spec else { return Vec::new() };
    let (Some(name), Some(namespace)) = (&service.metadata.name, &service.metadata.namespace)
    else {
        return Vec::new();
    };
    let external = (spec.type_.as_deref() == Some("ExternalName"))
        .then(|| spec.external_name.clone().unwrap_or_default());
    let cluster_ip: Option<IpAddr> = spec.cluster_ip.as_deref().and_then(|ip| ip.parse().ok());
    let ports = spec.ports.iter().flatten();
    ports
        .filter_map(|port| {
            let protocol = Protocol::of(port.protocol.as_deref())?;
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
            let subject = Subject::service(namespace, name);
            let place = Place { subject, port: number, protocol };
            Some(Wanted { place, name: port.name.clone(), route })
        })
        .collect()
}

/// The same from the plan, for services that may not be watched; and for the pods that have names of their own.
pub(in crate::session) fn wanted_by_plan(service: &OutboundService) -> Vec<Wanted> {
    let host = || format!("{}.{}.svc", service.name, service.namespace);
    let wanted = service.ports.iter().map(|port| {
        let route = match service.cluster_ip {
            Some(ip) => Route::Address { ip, port: port.port },
            None => Route::Name { host: host(), port: port.target.unwrap_or(port.port) },
        };
        let subject = Subject::service(&service.namespace, &service.name);
        let place = Place { subject, port: port.port, protocol: port.protocol };
        Wanted { place, name: port.name.clone(), route }
    });
    wanted.chain(pods(service)).collect()
}

/// What a headless service needs besides [`wanted_by`]: its pods' own ports, as in the cluster, and its pods' names.
pub(in crate::session) fn wanted_by_endpoints(
    service: &Service,
    endpoints: &Endpoints,
) -> Vec<Wanted> {
    let Some(mut known) = OutboundService::of(service) else { return Vec::new() };
    known.add_endpoints(endpoints);
    wanted_by_plan(&known)
}

fn pods(service: &OutboundService) -> impl Iterator<Item = Wanted> {
    service.pods.iter().flat_map(|pod| {
        pod.ports(service).into_iter().map(|PodPort { port, protocol, target }| {
            let subject = Subject::Pod {
                namespace: service.namespace.clone(),
                service: service.name.clone(),
                pod: pod.name.clone(),
            };
            let is_it = |known: &&ServicePort| (known.port, known.protocol) == (target, protocol);
            let named = pod.ports.iter().find(is_it);
            Wanted {
                place: Place { subject, port, protocol },
                name: named.and_then(|port| port.name.clone()),
                route: Route::Address { ip: pod.address, port: target },
            }
        })
    })
}

/// The ports of a host outside the cluster.
pub(in crate::session) fn external(host: &ExternalHost) -> Vec<Wanted> {
    let wanted = host.ports.iter().map(|port| Wanted {
        place: Place {
            subject: Subject::External { host: host.name.clone() },
            port: *port,
            protocol: Protocol::Tcp,
        },
        name: None,
        route: Route::Name { host: host.name.to_string(), port: *port },
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
            [80, 53, 81].map(|port| (port, Route::Address { ip, port }))
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
    fn pods_have_names_and_ports_of_their_own() {
        let service = json!({"metadata": {"name": "db", "namespace": "shop"}, "spec": {
            "clusterIP": "None", "ports": [{"port": 80, "targetPort": "http"}],
        }});
        let endpoints = json!({"subsets": [{"addresses": [{"ip": "10.0.0.7", "hostname": "db-0"}], "ports": [{"port": 8080}]}]});
        let wanted = wanted_by_endpoints(
            &serde_json::from_value(service).unwrap(),
            &serde_json::from_value(endpoints).unwrap(),
        );
        let told: Vec<_> =
            wanted.iter().map(|wanted| format!("{} {}", wanted.place, wanted.route)).collect();
        assert_eq!(
            told,
            [
                "db.shop:80 db.shop.svc:8080",
                "db.shop:8080 db.shop.svc:8080",
                "db-0.db.shop:8080 10.0.0.7:8080",
                "db-0.db.shop:80 10.0.0.7:8080"
            ]
        );
    }

    #[test]
    fn an_external_host_is_reached_by_its_name() {
        let host =
            ExternalHost { name: "db.example.com".parse().unwrap(), ports: vec![5432, 5433] };
        let wanted = external(&host);
        assert_eq!(wanted.len(), 2);
        assert_eq!(wanted[0].route, name("db.example.com", 5432));
        assert_eq!(wanted[1].place.to_string(), "db.example.com:5433");
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
