//! What a token becomes in a session that is connected.

use towline_core::environment::{Bytes, Environment};
use towline_core::names::{NameEntry, Subject};
use towline_core::request::Names;

use super::planned::{no_such_variable, one_port, service_of, volume_of};
use super::{Here, Missing, below, missing};
use crate::token::{Part, Token, VolumeRef};

pub(super) fn filled(
    token: &Token,
    session: &Environment,
    here: &Here<'_>,
) -> Result<String, Missing> {
    match token {
        Token::Service { part, .. } => {
            let (service, port) = service_of(here.plan, token)?;
            let subject = Subject::service(&service.namespace, &service.name);
            reached(token, here, &subject, port, *part)
        }
        Token::ExternalHost { host, port, part } => {
            let known = here.plan.request.external_hosts.iter().find(|known| known.name == *host);
            let ports = known.map(|known| known.ports.clone()).unwrap_or_default();
            let port = one_port(token, &ports, *port, *part)?;
            // Not carried without the hosts file; its own name leads to it from here then, as far as this machine can reach it.
            if here.names.names == Names::Variables && *part == Part::Host {
                return Ok(host.to_string());
            }
            reached(token, here, &Subject::External { host: host.clone() }, port, *part)
        }
        Token::Volume(wanted) => {
            let planned = volume_of(here.plan, token, wanted)?;
            let volume =
                here.volumes.iter().find(|volume| volume.planned.mount_path == planned.mount_path);
            let Some(local) = volume.and_then(|volume| volume.local.clone()) else {
                return missing(
                    format!(
                        "{token} leads to nothing: {} is not on this machine",
                        planned.mount_path
                    ),
                    None,
                );
            };
            let local = match wanted {
                VolumeRef::Path(path) => match below(path, &planned.mount_path) {
                    Some("") | None => local,
                    Some(rest) => local.join(rest),
                },
                VolumeRef::Name(_) => local,
            };
            let unusable = format!("{token}: {} is no text", local.display());
            local.into_os_string().into_string().or_else(|_| missing(unusable, None))
        }
        Token::Variable(name) => match session.get(name).map(|variable| &variable.value) {
            Some(Bytes::Text(text)) => Ok(text.clone()),
            Some(Bytes::Raw(_)) => missing(format!("{token} is no text"), None),
            None => {
                let names: Vec<&str> =
                    session.variables.iter().map(|variable| variable.name.as_str()).collect();
                no_such_variable(token, name, &names)
            }
        },
    }
}

/// A part of how this machine reaches `subject`.
fn reached(
    token: &Token,
    here: &Here<'_>,
    subject: &Subject,
    port: Option<u16>,
    part: Part,
) -> Result<String, Missing> {
    let Some(entry) = here.names.entries.iter().find(|entry| entry.subject == *subject) else {
        return missing(format!("{token} leads to nothing: {subject} is not in the session"), None);
    };
    let host =
        || entry.names.first().map_or_else(|| entry.address.to_string(), ToString::to_string);
    let port = || {
        port.map_or(Ok(0), |port| {
            local_port(entry, port).map_or_else(
                || {
                    missing(
                        format!(
                            "{token} leads to nothing: {subject} has no port {port} on this machine"
                        ),
                        None,
                    )
                },
                Ok,
            )
        })
    };
    match part {
        Part::Host => Ok(host()),
        Part::Ip => Ok(entry.address.to_string()),
        Part::Port => Ok(port()?.to_string()),
        Part::Address => {
            let host = host();
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            Ok(format!("{host}:{}", port()?))
        }
    }
}

fn local_port(entry: &NameEntry, port: u16) -> Option<u16> {
    match entry.ports.iter().find(|known| known.port == port) {
        Some(known) => Some(known.local.port()),
        // The local program's own service: its ports are those that the program itself listens on.
        None => entry.ports.is_empty().then_some(port),
    }
}
