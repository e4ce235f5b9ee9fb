//! Whether a token leads to something in a session that is planned.

use std::collections::BTreeSet;

use towline_core::plan::{Known, OutboundService, Plan};
use towline_core::request::Names;
use towline_core::volumes::{Handling, PlannedVolume};

use super::{Missing, below, listed, matches, missing, nearest};
use crate::token::{Part, Token, VolumeRef};

/// What the names of Towline's own variables begin with.
const OWN: &str = "TOWLINE_";

/// Whether a token leads to something; the value is what is to be said about it all the same.
pub(super) fn there(plan: &Plan, token: &Token) -> Result<Option<String>, Missing> {
    match token {
        Token::Service { .. } => service_of(plan, token).map(|_| None),
        Token::ExternalHost { host, port, part } => {
            let known = plan.request.external_hosts.iter().find(|known| known.name == *host);
            let Some(known) = known else {
                return missing(
                    format!("{token} leads to nothing: the session has no such host"),
                    None,
                );
            };
            one_port(token, &known.ports, *port, *part)?;
            let variables = plan.request.names == Names::Variables;
            Ok(variables.then(|| {
                "without the hosts file, only programs that take the port from this variable reach the host".to_owned()
            }))
        }
        Token::Volume(volume) => {
            volume_of(plan, token, volume).map(|volume| match volume.handling {
                Handling::OnDemand => Some(format!(
                    "{} is a {}, which is copied on demand only: the path is empty until then",
                    volume.mount_path,
                    volume.kind.words()
                )),
                Handling::Copied | Handling::Left => None,
            })
        }
        Token::Variable(name) => Ok(variable(plan, name)),
    }
}

/// What is to be said about a variable of the container before its pod runs.
fn variable(plan: &Plan, name: &str) -> Option<String> {
    // Towline's own come with the session.
    if name.starts_with(OWN) {
        return None;
    }
    let only_image = |found: String| {
        let names: Vec<&str> = plan.variables.names.iter().map(String::as_str).collect();
        let nearest =
            nearest(name, &names).map(|name| format!(" Did you mean {name}?")).unwrap_or_default();
        format!(
            "{found}. Only the container's image can set it, and whether it does shows when its pod is looked into: if not, the session ends.{nearest}"
        )
    };
    match plan.variables.look_up(name) {
        Known::There => None,
        Known::MayBeIn(source) => Some(format!(
            "it may be in {source}, which cannot be read: if it is not, the session ends"
        )),
        Known::KeyMissing(key) => {
            Some(only_image(format!("{key}, which would set it, is not there")))
        }
        Known::NotInSpec => Some(only_image("nothing in the pod's spec sets it".to_owned())),
    }
}

/// Sees that the container that runs has the variable. `names` are all that it has.
pub(super) fn in_container(
    plan: &Plan,
    token: &Token,
    names: &BTreeSet<&str>,
) -> Result<(), Missing> {
    let Token::Variable(name) = token else { return Ok(()) };
    let known = || matches!(plan.variables.look_up(name), Known::There | Known::MayBeIn(_));
    if name.starts_with(OWN) || names.contains(name.as_str()) || known() {
        return Ok(());
    }
    let names: Vec<&str> = names.iter().copied().collect();
    no_such_variable(token, name, &names)
}

pub(super) fn no_such_variable<T>(token: &Token, name: &str, names: &[&str]) -> Result<T, Missing> {
    let nearest = nearest(name, names).map(|nearest| format!("Did you mean {nearest}?"));
    missing(format!("{token} leads to nothing: the container has no such variable"), nearest)
}

/// The service, and its port where the token needs or names one.
pub(super) fn service_of<'a>(
    plan: &'a Plan,
    token: &Token,
) -> Result<(&'a OutboundService, Option<u16>), Missing> {
    let Token::Service { name, namespace, port, part } = token else {
        return missing(format!("{token} is no service"), None);
    };
    let namespace = namespace.as_ref().unwrap_or(&plan.workload.namespace);
    let of_it = || plan.outbound.iter().filter(|service| service.namespace == *namespace);
    let Some(service) = of_it().find(|service| service.name == *name) else {
        let names: Vec<&str> = of_it().map(|service| service.name.as_str()).collect();
        if names.is_empty() {
            let hint = format!(
                "Add it to the file: namespaces: [{}, {namespace}].",
                plan.workload.namespace
            );
            return missing(
                format!(
                    "{token} leads to nothing: the session has no services of namespace {namespace}"
                ),
                Some(hint),
            );
        }
        let nearest = nearest(name, &names).map(|nearest| format!("Did you mean {nearest}?"));
        return missing(
            format!(
                "{token} leads to nothing: namespace {namespace} has the services {}",
                listed(&names)
            ),
            nearest,
        );
    };
    let ports = || {
        let each = service.ports.iter().map(|port| match &port.name {
            Some(name) => format!("{} ({name})", port.port),
            None => port.port.to_string(),
        });
        each.collect::<Vec<_>>().join(", ")
    };
    let Some(wanted) = port else {
        return match service.ports.as_slice() {
            _ if matches!(part, Part::Host | Part::Ip) => Ok((service, None)),
            [only] => Ok((service, Some(only.port))),
            [] => missing(format!("{token} needs a port: service {name} has none"), None),
            [first, ..] => {
                let first = first.name.clone().unwrap_or_else(|| first.port.to_string());
                let hint = format!(
                    "Say which: ${{service:{name}:{first}.{}}}.",
                    if *part == Part::Port { "port" } else { "address" }
                );
                missing(format!("{token} needs a port: service {name} has {}", ports()), Some(hint))
            }
        };
    };
    let found = service
        .ports
        .iter()
        .find(|port| port.name.as_ref() == Some(wanted) || wanted.parse() == Ok(port.port));
    match found {
        Some(port) => Ok((service, Some(port.port))),
        None => missing(
            format!("{token} leads to nothing: service {name} has the ports {}", ports()),
            None,
        ),
    }
}

pub(super) fn one_port(
    token: &Token,
    ports: &[u16],
    wanted: Option<u16>,
    part: Part,
) -> Result<Option<u16>, Missing> {
    let all = || ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    match (wanted, ports) {
        (Some(wanted), ports) if ports.contains(&wanted) => Ok(Some(wanted)),
        (Some(_), _) => missing(
            format!("{token} leads to nothing: externalHosts has the ports {}", all()),
            None,
        ),
        (None, _) if matches!(part, Part::Host | Part::Ip) => Ok(None),
        (None, [only]) => Ok(Some(*only)),
        (None, _) => missing(format!("{token} needs a port: externalHosts has {}", all()), None),
    }
}

pub(super) fn volume_of<'a>(
    plan: &'a Plan,
    token: &Token,
    wanted: &VolumeRef,
) -> Result<&'a PlannedVolume, Missing> {
    let found = match wanted {
        VolumeRef::Path(path) => plan
            .volumes
            .iter()
            .filter(|volume| below(path, &volume.mount_path).is_some())
            .max_by_key(|volume| volume.mount_path.len()),
        VolumeRef::Name(name) => plan.volumes.iter().find(|volume| matches(name, &volume.name)),
    };
    match found {
        Some(volume) if volume.handling == Handling::Left => missing(
            format!("{token} leads to nothing: volumes are left in the cluster"),
            Some("Take `volumes: none` out of the file.".to_owned()),
        ),
        Some(volume) => Ok(volume),
        None if plan.volumes.is_empty() => missing(
            format!("{token} leads to nothing: container {} has no volumes", plan.container),
            None,
        ),
        None => {
            let all: Vec<String> = plan
                .volumes
                .iter()
                .map(|volume| format!("{} ({})", volume.mount_path, volume.name))
                .collect();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            missing(
                format!(
                    "{token} leads to nothing: container {} has the volumes {}",
                    plan.container,
                    listed(&all)
                ),
                None,
            )
        }
    }
}
