//! The variables that the kubelet sets for each service (`pkg/kubelet/envvars` in the Kubernetes sources): told from others, rewritten, added.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use towline_wire::Protocol;

use super::KubernetesApi;
use crate::event::Listener;

/// The service in namespace `default` that stands for the API server, in every pod whatever its namespace.
const KUBERNETES: (&str, &str) = ("default", "kubernetes");

/// A service of the pod's namespace and where its ports are on this machine, in the service's order.
pub(super) struct LocalService {
    prefix: String,
    ports: Vec<LocalPort>,
}

struct LocalPort {
    name: Option<String>,
    port: u16,
    protocol: Protocol,
    host: String,
    local: SocketAddr,
}

/// The services whose variables a program in `namespace` looks for: that namespace's, the API server's, and after these the others that the user
/// chose, as far as their names are still free.
pub(super) fn local_services(
    listeners: &[Listener],
    namespace: &str,
    kubernetes: Option<&KubernetesApi>,
) -> Vec<LocalService> {
    let is_kubernetes = |listener: &Listener| {
        (listener.namespace.as_str(), listener.service.as_str()) == KUBERNETES
    };
    let mut services: Vec<(String, LocalService)> = Vec::new();
    if let Some(api) = kubernetes {
        let local = SocketAddr::new(api.address, api.port);
        // Every cluster makes the service with one port, `https` 443; the listener knows better where somebody has changed that.
        let port = listeners
            .iter()
            .find(|listener| is_kubernetes(listener))
            .map_or(443, |listener| listener.port);
        let port = LocalPort {
            name: Some("https".to_owned()),
            port,
            protocol: Protocol::Tcp,
            host: api.host.clone(),
            local,
        };
        services.push((
            KUBERNETES.0.to_owned(),
            LocalService { prefix: prefix(KUBERNETES.1), ports: vec![port] },
        ));
    }
    let rank = |listener: &&Listener| match listener {
        listener if listener.namespace == namespace => 0,
        listener if is_kubernetes(listener) => 1,
        _ => 2,
    };
    // Pods of headless services and hosts outside the cluster have no such variables.
    let is_service =
        |listener: &&Listener| !listener.namespace.is_empty() && !listener.service.contains('.');
    let mut ordered: Vec<&Listener> = listeners.iter().filter(is_service).collect();
    ordered.sort_by_key(rank);
    for listener in ordered {
        if kubernetes.is_some() && is_kubernetes(listener) {
            continue;
        }
        let prefix = prefix(&listener.service);
        let port = LocalPort {
            name: listener.port_name.clone(),
            port: listener.port,
            protocol: listener.protocol,
            host: listener.local.ip().to_string(),
            local: listener.local,
        };
        match services.iter_mut().find(|(_, service)| service.prefix == prefix) {
            // One listener a port is enough: the first, so an IPv4 one beside an IPv6 one stays.
            Some((of, service)) if *of == listener.namespace => {
                let is_it =
                    |known: &LocalPort| (known.port, known.protocol) == (port.port, port.protocol);
                if !service.ports.iter().any(is_it) {
                    service.ports.push(port);
                }
            }
            Some(_) => {}
            None => services
                .push((listener.namespace.clone(), LocalService { prefix, ports: vec![port] })),
        }
    }
    services.into_iter().map(|(_, service)| service).collect()
}

impl LocalService {
    /// The local value for the variable `name` that has `value` in the cluster; none where it is no address of this service.
    ///
    /// The value decides, not only the name: `A_SERVICE_PORT` is a number for service `a`, and a URL for service `a-service`.
    pub(super) fn rewrite(&self, name: &str, value: &str) -> Option<String> {
        let rest = name.strip_prefix(&self.prefix)?;
        if rest == "_SERVICE_HOST" {
            value.parse::<IpAddr>().ok()?;
            return Some(self.ports.first()?.host.clone());
        }
        if rest == "_SERVICE_PORT" || rest.starts_with("_SERVICE_PORT_") {
            // The number tells no protocol: where it is a port of both, this is the first.
            let number: u16 = value.parse().ok()?;
            let port = self.ports.iter().find(|known| known.port == number)?;
            return Some(port.local.port().to_string());
        }
        let rest = rest.strip_prefix("_PORT")?;
        if rest.is_empty() {
            return self.rewrite_url(value);
        }
        let (port, rest) = rest.strip_prefix('_')?.split_once('_')?;
        let (protocol, rest) = Protocol::ALL.into_iter().find_map(|protocol| {
            Some((protocol, rest.strip_prefix(protocol.to_string().as_str())?))
        })?;
        let port = self.at(port.parse().ok()?, protocol)?;
        match rest {
            "" => self.rewrite_url(value),
            "_PORT" => value.parse::<u16>().ok().map(|_| port.local.port().to_string()),
            "_ADDR" => value.parse::<IpAddr>().ok().map(|_| port.local.ip().to_string()),
            _ => None,
        }
    }

    fn rewrite_url(&self, value: &str) -> Option<String> {
        let (scheme, address) = value.split_once("://")?;
        let protocol = Protocol::of(Some(&scheme.to_ascii_uppercase()))?;
        let address: SocketAddr = address.parse().ok()?;
        Some(format!("{scheme}://{}", self.at(address.port(), protocol)?.local))
    }

    fn at(&self, port: u16, protocol: Protocol) -> Option<&LocalPort> {
        self.ports.iter().find(|known| (known.port, known.protocol) == (port, protocol))
    }

    /// The variables for a service that has none in the cluster. Only those named `SERVICE`: `X_PORT` as a URL is what people switch service links
    /// off for, because programs read a number there.
    pub(super) fn added(&self) -> Vec<(String, String)> {
        let Some(first) = self.ports.first() else { return Vec::new() };
        let mut added = vec![
            (format!("{}_SERVICE_HOST", self.prefix), first.host.clone()),
            (format!("{}_SERVICE_PORT", self.prefix), first.local.port().to_string()),
        ];
        for port in &self.ports {
            let Some(name) = &port.name else { continue };
            added.push((
                format!("{}_SERVICE_PORT_{}", self.prefix, variable_part(name)),
                port.local.port().to_string(),
            ));
        }
        added
    }
}

/// The names of the variables that a service has: those that every service in a session has, and with `links` all that the kubelet sets.
pub(crate) fn link_names<'a>(
    service: &str,
    ports: impl Iterator<Item = (u16, Protocol, Option<&'a str>)>,
    links: bool,
) -> Vec<String> {
    let prefix = prefix(service);
    let mut names = vec![format!("{prefix}_SERVICE_HOST"), format!("{prefix}_SERVICE_PORT")];
    if links {
        names.push(format!("{prefix}_PORT"));
    }
    for (port, protocol, name) in ports {
        let name = name.map(|name| format!("{prefix}_SERVICE_PORT_{}", variable_part(name)));
        names.extend(name);
        if links {
            let link = format!("{prefix}_PORT_{port}_{protocol}");
            names.extend(["_PROTO", "_PORT", "_ADDR"].map(|part| format!("{link}{part}")));
            names.push(link);
        }
    }
    names
}

/// Every service variable among `variables`, with its service's name. A service is known by the variables of one of its ports that agree with each
/// other: `X_PORT_80_TCP_ADDR` is an address, and `X_PORT_80_TCP` the URL of it with that port. The shorter names are ones that people set themselves.
pub(super) fn detect(variables: &BTreeMap<String, Vec<u8>>) -> BTreeMap<&str, String> {
    let prefixes: BTreeSet<&str> =
        variables.keys().filter_map(|name| service_of(variables, name)).collect();
    let mut found = BTreeMap::new();
    for prefix in prefixes {
        let service = prefix.to_ascii_lowercase().replace('_', "-");
        let names = variables.keys().filter(|name| {
            name.strip_prefix(prefix).is_some_and(|rest| {
                matches!(rest, "_SERVICE_HOST" | "_SERVICE_PORT" | "_PORT")
                    || rest.starts_with("_SERVICE_PORT_")
                    || rest.strip_prefix("_PORT_").is_some_and(is_link)
            })
        });
        found.extend(names.map(|name| (name.as_str(), service.clone())));
    }
    found
}

fn service_of<'a>(variables: &BTreeMap<String, Vec<u8>>, name: &'a str) -> Option<&'a str> {
    let text = |name: &str| std::str::from_utf8(variables.get(name)?).ok();
    let link = name.strip_suffix("_ADDR")?;
    let (rest, protocol) = link.rsplit_once('_').filter(|(_, protocol)| is_protocol(protocol))?;
    let (rest, port) = rest.rsplit_once('_')?;
    let address: IpAddr = text(name)?.parse().ok()?;
    let url = format!(
        "{}://{}",
        protocol.to_ascii_lowercase(),
        SocketAddr::new(address, port.parse().ok()?)
    );
    rest.strip_suffix("_PORT").filter(|_| text(link) == Some(&url))
}

// `80_TCP`, `80_TCP_PROTO`, `80_TCP_PORT`, `80_TCP_ADDR`, and the same for UDP and SCTP.
fn is_link(rest: &str) -> bool {
    let Some((port, rest)) = rest.split_once('_') else { return false };
    let (protocol, part) = rest.split_once('_').unwrap_or((rest, ""));
    port.parse::<u16>().is_ok()
        && is_protocol(protocol)
        && matches!(part, "" | "PROTO" | "PORT" | "ADDR")
}

fn is_protocol(text: &str) -> bool {
    matches!(text, "TCP" | "UDP" | "SCTP")
}

fn prefix(service: &str) -> String {
    variable_part(service)
}

// `makeEnvVariableName` of the kubelet.
fn variable_part(name: &str) -> String {
    name.replace('-', "_").to_ascii_uppercase()
}
