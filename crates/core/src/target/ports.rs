//! Which ports of the container come to this machine, and where to.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, PodSpec, Service, ServicePort};
use kube::ResourceExt;
use towline_wire::Protocol;

use super::container::{declares, target};
use crate::cluster::list;
use crate::plan::InboundPort;
use crate::request::{PortMapping, RemotePort, UdpPort};

/// A mapping makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// No port of that name.
    #[error("the container '{container}' has no port named '{name}'; it has {}", list(.known))]
    Unknown {
        /// The container.
        container: String,
        /// What was asked for.
        name: String,
        /// The ports, as `8080 (http)`.
        known: Vec<String>,
    },
    /// The port belongs to another container of the pod.
    #[error("port {port} belongs to the container '{other}'")]
    OfAnother {
        /// The port.
        port: RemotePort,
        /// Whose it is.
        other: String,
    },
    /// One port is mapped twice.
    #[error("port {0} is mapped to both {1} and {2}")]
    MappedTwice(u16, u16, u16),
    /// Two ports would come to the same local port.
    #[error("ports {0} and {1} would both come to port {2} of this machine")]
    SameLocal(u16, u16, u16),
}

impl PortError {
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "Name one of these, or a number: --port REMOTE[:LOCAL].",
            Self::OfAnother { .. } => {
                "Choose that container with --container, or leave the port out."
            }
            Self::MappedTwice(..) => "Give each port one mapping.",
            Self::SameLocal(..) => "Map one of them to another local port: --port REMOTE:LOCAL.",
        }
    }
}

/// The ports of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// The ones that come to this machine, by number.
    pub inbound: Vec<InboundPort>,
    /// The ones that do not, because they are neither TCP nor UDP: `9899/SCTP`.
    pub not_carried: Vec<String>,
}

/// The ports that come to this machine: the TCP and UDP ports that the container declares, those that services of the pod send connections to and no
/// other container declares, and those of `mappings`.
///
/// # Errors
///
/// As [`PortError`] tells them apart.
pub fn map(
    spec: &PodSpec,
    container: &str,
    services: &[Service],
    mappings: &[PortMapping],
) -> Result<Ports, PortError> {
    let Some(this) = spec.containers.iter().find(|candidate| candidate.name == container) else {
        return Ok(Ports::default());
    };
    let others: Vec<&Container> =
        spec.containers.iter().filter(|other| other.name != container).collect();
    let mut mapper = Mapper { this, others, ports: BTreeMap::new(), not_carried: Vec::new() };
    mapper.declared();
    for service in services {
        mapper.service(service);
    }
    mapper.mappings(mappings)?;
    mapper.finish()
}

struct Mapper<'a> {
    this: &'a Container,
    others: Vec<&'a Container>,
    ports: BTreeMap<(u16, Protocol), Port>,
    not_carried: Vec<String>,
}

#[derive(Default)]
struct Port {
    name: Option<String>,
    local: Option<u16>,
    services: Vec<String>,
}

impl Mapper<'_> {
    fn declared(&mut self) {
        for port in self.this.ports.iter().flatten() {
            let Ok(number) = u16::try_from(port.container_port) else { continue };
            match Protocol::of(port.protocol.as_deref()) {
                Some(protocol) => {
                    self.ports.entry((number, protocol)).or_default().name = port.name.clone();
                }
                None => self.leave_out(number, port.protocol.as_deref()),
            }
        }
    }

    fn leave_out(&mut self, number: u16, protocol: Option<&str>) {
        let text = format!("{number}/{}", protocol.unwrap_or_default());
        if !self.not_carried.contains(&text) {
            self.not_carried.push(text);
        }
    }

    fn service(&mut self, service: &Service) {
        let ports: &[ServicePort] =
            service.spec.as_ref().and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
        for port in ports {
            let Some(target) = target(port.target_port.as_ref(), port.port) else { continue };
            // A name is a port of whichever container declares it.
            let number = match &target {
                RemotePort::Number(number) => Some(*number),
                RemotePort::Udp(UdpPort(number)) => Some(number.get()),
                RemotePort::Name(name) => self.declared_as(name).map(|(number, _)| number),
            };
            let Some(number) = number else { continue };
            if self.other(&target).is_some() {
                continue;
            }
            match Protocol::of(port.protocol.as_deref()) {
                Some(protocol) => {
                    let text = format!("{}:{}", service.name_any(), port.port);
                    self.ports.entry((number, protocol)).or_default().services.push(text);
                }
                None => self.leave_out(number, port.protocol.as_deref()),
            }
        }
    }

    fn declared_as(&self, name: &str) -> Option<(u16, Protocol)> {
        let mut declared = self.this.ports.iter().flatten();
        let port = declared.find(|port| port.name.as_deref() == Some(name))?;
        let protocol = Protocol::of(port.protocol.as_deref())?;
        Some((u16::try_from(port.container_port).ok()?, protocol))
    }

    /// The ports that a mapping is about: a number may be a port of both protocols.
    fn mapped(&self, remote: &RemotePort) -> Result<Vec<(u16, Protocol)>, PortError> {
        let number = match remote {
            RemotePort::Number(number) => *number,
            RemotePort::Udp(UdpPort(number)) => return Ok(vec![(number.get(), Protocol::Udp)]),
            RemotePort::Name(name) => {
                let port = self.declared_as(name).ok_or_else(|| self.unknown(name))?;
                return Ok(vec![port]);
            }
        };
        let known = Protocol::ALL.map(|protocol| (number, protocol));
        let known: Vec<_> =
            known.into_iter().filter(|port| self.ports.contains_key(port)).collect();
        Ok(if known.is_empty() { vec![(number, Protocol::Tcp)] } else { known })
    }

    /// Another container that declares the port, when this one does not.
    fn other(&self, port: &RemotePort) -> Option<&str> {
        if declares(self.this, port) {
            return None;
        }
        self.others.iter().find(|other| declares(other, port)).map(|other| other.name.as_str())
    }

    fn mappings(&mut self, mappings: &[PortMapping]) -> Result<(), PortError> {
        for mapping in mappings {
            if let Some(other) = self.other(&mapping.remote) {
                return Err(PortError::OfAnother {
                    port: mapping.remote.clone(),
                    other: other.to_owned(),
                });
            }
            for (number, protocol) in self.mapped(&mapping.remote)? {
                let local = mapping.local.unwrap_or(number);
                let port = self.ports.entry((number, protocol)).or_default();
                match port.local {
                    Some(before) if before != local => {
                        return Err(PortError::MappedTwice(number, before, local));
                    }
                    _ => port.local = Some(local),
                }
            }
        }
        Ok(())
    }

    fn unknown(&self, name: &str) -> PortError {
        let known = self.ports.iter().map(|((number, _), port)| match &port.name {
            Some(name) => format!("{number} ({name})"),
            None => number.to_string(),
        });
        PortError::Unknown {
            container: self.this.name.clone(),
            name: name.to_owned(),
            known: known.collect(),
        }
    }

    fn finish(self) -> Result<Ports, PortError> {
        let mut taken: BTreeMap<(u16, Protocol), u16> = BTreeMap::new();
        let mut inbound = Vec::new();
        for ((remote, protocol), port) in self.ports {
            let local = port.local.unwrap_or(remote);
            if let Some(first) = taken.insert((local, protocol), remote) {
                return Err(PortError::SameLocal(first, remote, local));
            }
            let (name, services) = (port.name, port.services);
            inbound.push(InboundPort { remote, protocol, local, name, services });
        }
        Ok(Ports { inbound, not_carried: self.not_carried })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
