//! The core's plan, made for reading.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::PodSpec;
use serde::Deserialize;
use serde_json::Value;
use towline_core::names::{HostsPlan, PlannedHost};
use towline_core::plan::{self, Outcome, Plan};
use towline_core::request;
use towline_core::text::capitalised;
use towline_core::volumes::{Handling, PlannedVolume};

use crate::machine;
use crate::report::name;
use crate::view::{
    Check, ContainerChoice, ExternalHost, FieldChange, HostsLine, InboundPort, LaunchRequest,
    NewObject, OutboundService, Rights, SessionMark, TakenNames, Tone, Volume, VolumeComes,
};

/// The longest value of a field that is shown, in characters.
const LONGEST: usize = 2_000;

/// `plan` as the window shows it. `ready` says what the core's checks say.
pub(super) fn of(plan: &Plan, form: &LaunchRequest, command_line: String) -> crate::view::Plan {
    let spec = pod_spec(plan);
    let chosen = form.container.as_ref().is_none_or(|container| container.is_empty());
    let preferred = chosen.then_some(plan.container.as_str());
    let containers = PodSpec::deserialize(&spec)
        .map(|spec| self::containers(&spec, preferred))
        .unwrap_or_default();
    crate::view::Plan {
        id: plan.session.to_string(),
        workload: format!("{}/{}", plan.workload.kind, plan.workload.name),
        namespace: plan.workload.namespace.clone(),
        context: plan.cluster.context.clone(),
        server: plan.cluster.server.clone(),
        version: plan.cluster.version.clone(),
        container: plan.container.clone(),
        containers,
        replicas: plan.replicas,
        limited_to: plan.limited_to.clone(),
        agent_image: plan.agent.image.clone(),
        fields: plan.fields.iter().map(field).collect(),
        objects: plan.objects.iter().map(object).collect(),
        inbound: inbound(plan),
        outbound: plan.outbound.iter().map(outbound).collect(),
        external_hosts: external_hosts(plan),
        variables: Vec::new(),
        mode: form.mode,
        hosts: plan.hosts.iter().flat_map(|hosts| &hosts.hosts).map(hosts_line).collect(),
        rights: plan.hosts.as_ref().map(rights),
        taken: machine::taken(plan),
        volumes: plan.volumes.iter().map(volume).collect(),
        checks: plan.checks.iter().map(check).collect(),
        occupied_by: plan.occupied_by.as_ref().map(|record| SessionMark {
            id: record.id.clone(),
            user: record.user.clone(),
            host: record.host.clone(),
            started: Some(record.started.as_millisecond()),
            mine: false,
        }),
        ready: plan.blockers().next().is_none(),
        restorer: plan.restorer,
        command_line,
    }
}

/// The pods' spec as it is without any session.
fn pod_spec(plan: &Plan) -> Value {
    let original = towline_workload::reverse(&plan.base).map(|reversal| reversal.restored);
    let workload = original.as_ref().unwrap_or(&plan.base);
    let at = format!("{}/spec", plan.workload.kind.template());
    workload.pointer(&at).cloned().unwrap_or_default()
}

/// The containers of a pod, to choose from.
pub(super) fn containers(spec: &PodSpec, preferred: Option<&str>) -> Vec<ContainerChoice> {
    let only = spec.containers.len() == 1;
    let choice = |container: &k8s_openapi::api::core::v1::Container| {
        let ports = container.ports.iter().flatten().map(|port| {
            let name = port.name.as_deref().map(|name| format!("{name} ")).unwrap_or_default();
            format!("{name}{}/{}", port.container_port, port.protocol.as_deref().unwrap_or("TCP"))
        });
        ContainerChoice {
            name: container.name.clone(),
            image: container.image.clone().unwrap_or_default(),
            ports: ports.collect(),
            preferred: only || preferred == Some(container.name.as_str()),
        }
    };
    spec.containers.iter().map(choice).collect()
}

/// The ports that come to this machine.
pub(crate) fn inbound(plan: &Plan) -> Vec<InboundPort> {
    let port = |port: &plan::InboundPort| InboundPort {
        remote: port.remote,
        protocol: port.protocol.into(),
        local: port.local,
        name: port.name.clone(),
        services: port.services.clone(),
    };
    plan.inbound.iter().map(port).collect()
}

fn outbound(service: &plan::OutboundService) -> OutboundService {
    let port = |port: &plan::ServicePort| match &port.name {
        Some(name) => format!("{name} {}{}", port.port, port.protocol.suffix()),
        None => format!("{}{}", port.port, port.protocol.suffix()),
    };
    OutboundService {
        namespace: service.namespace.clone(),
        name: service.name.clone(),
        ports: service.ports.iter().map(port).collect(),
    }
}

/// Those that have names here.
fn external_hosts(plan: &Plan) -> Vec<ExternalHost> {
    let named = plan.request.external_hosts.iter().filter(|_| plan.hosts.is_some());
    named
        .map(|host| ExternalHost { name: host.name.to_string(), ports: host.ports.clone() })
        .collect()
}

fn hosts_line(host: &PlannedHost) -> HostsLine {
    HostsLine {
        address: host.address.to_string(),
        names: host.names.iter().map(ToString::to_string).collect(),
    }
}

/// `asks` is not known here.
fn rights(hosts: &HostsPlan) -> Rights {
    let from = machine::unprivileged_from();
    let ports = hosts.hosts.iter().flat_map(|host| &host.ports).copied();
    let low: BTreeSet<u16> = ports.filter(|port| *port < from).collect();
    Rights {
        hosts_file: towline_machine::hosts_file::path().display().to_string(),
        ports: low.into_iter().collect(),
        asks: true,
    }
}

/// A volume for the window.
pub(crate) fn volume(volume: &PlannedVolume) -> Volume {
    Volume {
        name: volume.name.clone(),
        mount_path: volume.mount_path.clone(),
        kind: volume.kind.words().to_owned(),
        source: volume.source.clone(),
        read_only: volume.read_only,
        sub_path: volume.sub_path.clone(),
        comes: match volume.handling {
            Handling::Copied => VolumeComes::KeptFresh,
            Handling::OnDemand => VolumeComes::OnDemand,
            Handling::Left => VolumeComes::No,
        },
    }
}

fn object(object: &plan::NewObject) -> NewObject {
    let plan::NewObject { kind, name, purpose } = object.clone();
    NewObject { kind, name, purpose }
}

fn check(check: &plan::Check) -> Check {
    Check {
        title: capitalised(&check.title),
        tone: match check.outcome {
            Outcome::Passed => Tone::Good,
            Outcome::Warning => Tone::Warning,
            Outcome::Blocked => Tone::Bad,
        },
        message: check.message.clone(),
        // The core's own words are for the command line too; here it can be done on the spot.
        fix: match check.port {
            Some(_) => {
                Some("See the ports that are taken: it can be stopped, or done without.".into())
            }
            None => check.fix.clone(),
        },
        code: check.code.map(name),
        taken_names: check.taken_names.map(|taken| match taken {
            request::TakenNames::Refuse => TakenNames::Refuse,
            request::TakenNames::GoWithout => TakenNames::GoWithout,
        }),
    }
}

fn field(change: &towline_workload::FieldChange) -> FieldChange {
    FieldChange {
        path: change.path.clone(),
        before: change.before.as_ref().map(short),
        after: change.after.as_ref().map(short),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_values_are_cut_at_a_character() {
        let text = short(&json!("ü".repeat(3_000)));
        assert_eq!(text.chars().count(), LONGEST + 1);
        assert!(text.ends_with('…'));
        assert_eq!(short(&json!({"a": 1})), r#"{"a":1}"#);
    }

    #[test]
    fn a_choice_shows_image_and_ports() {
        let spec = json!({"containers": [
            {"name": "app", "image": "a:1", "ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]},
            {"name": "proxy"},
        ]});
        let choices = containers(&PodSpec::deserialize(&spec).unwrap(), Some("app"));
        assert_eq!(choices[0].ports, ["http 80/TCP", "53/UDP"]);
        assert!(choices[0].preferred && !choices[1].preferred);
        let one = containers(
            &PodSpec::deserialize(&json!({"containers": [{"name": "a"}]})).unwrap(),
            None,
        );
        assert!(one[0].preferred);
    }
}
