//! A session before it happens: everything that would change in the cluster and on this machine, and what stands in the way.
//!
//! Making a plan only reads. `session` does what the plan says and nothing else; the window and the command line show the same plan.

mod admission;
mod build;
mod defaults;
mod error;
mod hosts;
mod local;
mod outbound;
mod services;
mod standing;
mod variables;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use towline_wire::{Protocol, SessionId, SessionKey};
use towline_workload::{AgentContainer, FieldChange, SessionRecord, WorkloadRef};

pub use self::defaults::{AGENT_IMAGE_VARIABLE, DEFAULT_AGENT_IMAGE, Identity};
pub use self::error::PlanError;
pub use self::outbound::PodPort;
pub(crate) use self::services::HEADLESS;
pub use self::variables::{Known, KnownVariables};
use crate::names::HostsPlan;
use crate::ports::TakenPort;
use crate::request::{Request, TakenNames};

/// What a session would do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// What was asked for.
    pub request: Request,
    /// The session's id, made here so that the plan shows the very objects.
    pub session: SessionId,
    /// The session's key, whose digest is among the agent's arguments. Never serialised: a plan that was read back is good for showing only.
    #[serde(skip, default = "SessionKey::generate")]
    pub key: SessionKey,
    /// What is written beside the workload for others to see: who, from where, since when.
    pub record: SessionRecord,
    /// Which cluster.
    pub cluster: ClusterIdentity,
    /// What gets the agent.
    pub workload: WorkloadRef,
    /// Which of its containers.
    pub container: String,
    /// How many pods the workload wants at the moment.
    pub replicas: u32,
    /// Which pods get the agent, where it cannot be all of them (a StatefulSet's partition): a sentence for the user.
    pub limited_to: Option<String>,
    /// The agent as it will stand in the pod.
    pub agent: AgentContainer,
    /// The agent's port for the client, on the pod's loopback.
    pub control_port: u16,
    /// The fields of the workload that change.
    pub fields: Vec<FieldChange>,
    /// The objects that are made, all removed at the end.
    pub objects: Vec<NewObject>,
    /// Connections to these ports of the pods come to this machine.
    pub inbound: Vec<InboundPort>,
    /// These services can be reached from this machine.
    pub outbound: Vec<OutboundService>,
    /// The names and addresses that they have here; none where only the environment's variables lead to them.
    #[serde(default)]
    pub hosts: Option<HostsPlan>,
    /// The container's volumes, and what happens with each.
    #[serde(default)]
    pub volumes: Vec<crate::volumes::PlannedVolume>,
    /// The container's variables, as far as they are known.
    #[serde(default)]
    pub variables: KnownVariables,
    /// What was checked, in the order of importance.
    pub checks: Vec<Check>,
    /// The session that has the workload now.
    pub occupied_by: Option<SessionRecord>,
    /// The workload as it was read; the patch tests that it still is.
    pub base: Value,
    /// Whether the cluster restores by itself when this client is gone. Not so where the rights for that are missing; a check says so.
    pub restorer: bool,
}

impl Plan {
    /// The checks that forbid to connect.
    pub fn blockers(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.outcome == Outcome::Blocked)
    }

    /// The ports of this machine that somebody else holds, each once.
    pub fn taken_ports(&self) -> Vec<TakenPort> {
        crate::ports::merged(self.checks.iter().filter_map(|check| check.port.as_deref()))
    }
}

/// Which cluster, and as whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterIdentity {
    /// The kubeconfig's context.
    pub context: String,
    /// The API server's address.
    pub server: String,
    /// The API server's version, such as `v1.20.2`.
    pub version: String,
}

/// An object that the session makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewObject {
    /// Such as `Lease`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What for, in half a sentence.
    pub purpose: String,
}

/// A port of the container, and where its connections go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundPort {
    /// The container's port.
    pub remote: u16,
    /// What it speaks.
    #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
    pub protocol: Protocol,
    /// The port on this machine's loopback.
    pub local: u16,
    /// The name that the container gives it.
    pub name: Option<String>,
    /// The services (of the target's namespace) that send connections to it, as `service:port`.
    pub services: Vec<String>,
}

/// A service that the local program can reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundService {
    /// The service's namespace.
    pub namespace: String,
    /// The service's name.
    pub name: String,
    /// Its cluster address; none for a headless one and for an ExternalName.
    pub cluster_ip: Option<std::net::IpAddr>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// The pods of a headless service that have names of their own, where those are wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<ServicePod>,
}

/// A pod of a headless service, as the service's endpoints have it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ServicePod {
    /// Its host name.
    pub name: String,
    /// Its address in the cluster.
    pub address: std::net::IpAddr,
    /// The ports that it listens on, by the service's names for them.
    pub ports: Vec<ServicePort>,
}

/// A port of a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ServicePort {
    /// The service's name for it.
    pub name: Option<String>,
    /// The service's own port.
    pub port: u16,
    /// What it speaks.
    #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
    pub protocol: Protocol,
    /// For a headless service: the port that its pods listen on, where that is known and differs.
    pub target: Option<u16>,
}

/// Something that was looked at before connecting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at, in two or three words.
    pub title: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What was found.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// Which error this is where it forbids to connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<crate::report::Code>,
    /// The port of this machine that is in the way, and who holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<Box<TakenPort>>,
    /// Where another session has the names: what the request says about such names, and so what has become of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_names: Option<TakenNames>,
}

impl Check {
    /// All is well.
    pub fn passed(title: &str, message: impl Into<String>) -> Self {
        Self {
            title: title.to_owned(),
            outcome: Outcome::Passed,
            message: message.into(),
            fix: None,
            code: None,
            port: None,
            taken_names: None,
        }
    }

    /// It goes on, and something is lost.
    pub fn warning(title: &str, message: impl Into<String>, fix: Option<String>) -> Self {
        Self {
            title: title.to_owned(),
            outcome: Outcome::Warning,
            message: message.into(),
            fix,
            code: None,
            port: None,
            taken_names: None,
        }
    }

    /// Connecting is not possible.
    pub fn blocked(
        code: crate::report::Code,
        title: &str,
        message: impl Into<String>,
        fix: Option<String>,
    ) -> Self {
        Self {
            title: title.to_owned(),
            outcome: Outcome::Blocked,
            message: message.into(),
            fix,
            code: Some(code),
            port: None,
            taken_names: None,
        }
    }

    /// The same check, about this port.
    pub(crate) fn about(mut self, port: TakenPort) -> Self {
        self.port = Some(Box::new(port));
        self
    }

    /// The same check, about names that another session has.
    pub(crate) fn about_names(mut self, taken: TakenNames) -> Self {
        self.taken_names = Some(taken);
        self
    }
}

/// How a [`Check`] came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All is well.
    Passed,
    /// It goes on, and something is lost; the message says what.
    Warning,
    /// Connecting is not possible.
    Blocked,
}
