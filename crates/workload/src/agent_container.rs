//! What runs in the container's place, and with which arguments.

use serde::{Deserialize, Serialize};

use crate::WorkloadRef;

/// The agent's path in its image.
pub(crate) const AGENT: &str = "/towline-agent";

/// The user that the agent runs as where `runAsNonRoot` asks for a number and the pod gives none.
pub(crate) const NONROOT: i64 = 65532;

/// The agent as a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentContainer {
    /// The image's reference.
    pub image: String,
    /// When the kubelet pulls it.
    pub image_pull_policy: PullPolicy,
    /// The Secret of the workload's namespace that the kubelet pulls it with, where the pod names no such Secret yet.
    pub pull_secret: Option<String>,
    /// The agent's arguments, as [`serve_args`] makes them.
    pub args: Vec<String>,
}

/// When the kubelet pulls an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PullPolicy {
    /// Each time a container starts.
    Always,
    /// When the node does not have it.
    #[default]
    IfNotPresent,
    /// Never: the node must have it.
    Never,
}

impl PullPolicy {
    /// The policy as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// The arguments of an agent that stands in for a container: the session's id, the SHA-256 of its key (64 hexadecimal digits), the port
/// of the pod's loopback on which the client is awaited, and the container's TCP and UDP ports.
pub fn serve_args(
    session: &str,
    key_sha256: &str,
    control_port: u16,
    ports: &[u16],
    udp_ports: &[u16],
) -> Vec<String> {
    let mut args = vec![
        "serve".to_owned(),
        format!("--session={session}"),
        format!("--key-sha256={key_sha256}"),
        format!("--control-port={control_port}"),
    ];
    args.extend(ports.iter().map(|port| format!("--listen={port}")));
    args.extend(udp_ports.iter().map(|port| format!("--listen-udp={port}")));
    args
}

/// The arguments of the restorer of `workload`.
pub fn restore_args(workload: &WorkloadRef, session: &str) -> Vec<String> {
    vec![
        "restore".to_owned(),
        format!("--namespace={}", workload.namespace),
        format!("--lease={}", crate::names::lease_name(workload)),
        format!("--session={session}"),
        format!("--kind={}", workload.kind),
        format!("--name={}", workload.name),
    ]
}
