//! What a session would do.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ExternalHost, HostsLine, Mode, Protocol, Rights, SessionMark, TakenPort, Tone};

/// The containers of a target, for the picker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ContainerChoice {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// The ports that it declares, as `http 8080/TCP`.
    pub ports: Vec<String>,
    /// Whether it is the one that is taken without a choice.
    pub preferred: bool,
}

/// What a session would do: the core's plan, made for reading. `connect` takes it by `id` and does nothing else than it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// For `connect`. A plan is kept until another one is made for the same target, or for 15 minutes.
    pub id: String,
    /// The workload, as `deployment/orders`.
    pub workload: String,
    /// Its namespace.
    pub namespace: String,
    /// The context.
    pub context: String,
    /// The API server's address.
    pub server: String,
    /// The API server's version.
    pub version: String,
    /// The container that gets the agent.
    pub container: String,
    /// All containers of the workload.
    pub containers: Vec<ContainerChoice>,
    /// How many pods it wants.
    pub replicas: u32,
    /// Why not all pods get the agent, where that is so.
    pub limited_to: Option<String>,
    /// The agent's image.
    pub agent_image: String,
    /// Fields of the workload that change.
    pub fields: Vec<FieldChange>,
    /// Objects that are made, all removed at the end.
    pub objects: Vec<NewObject>,
    /// Connections to these ports come to this machine.
    pub inbound: Vec<InboundPort>,
    /// Services that can be reached from this machine.
    pub outbound: Vec<OutboundService>,
    /// Hosts outside the cluster that can be reached by their names.
    pub external_hosts: Vec<ExternalHost>,
    /// Variables that the project file puts on top of the container's, by name.
    pub variables: Vec<String>,
    /// How names and ports of services come to this machine.
    pub mode: Mode,
    /// Lines that stand in the hosts file as long as the session lasts.
    pub hosts: Vec<HostsLine>,
    /// What administrator rights are for; null: none are needed.
    pub rights: Option<Rights>,
    /// Addresses and ports of this machine that the session needs and somebody else has.
    pub taken: Vec<TakenPort>,
    /// Volumes of the container.
    pub volumes: Vec<Volume>,
    /// What was checked, the most important first.
    pub checks: Vec<Check>,
    /// The session that has the workload now.
    pub occupied_by: Option<SessionMark>,
    /// Whether nothing forbids to connect.
    pub ready: bool,
    /// Whether the cluster restores by itself when this machine is gone.
    pub restorer: bool,
    /// The equivalent `towline connect …` line.
    pub command_line: String,
}

/// A field of the workload that changes. Values are JSON, cut at 2,000 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// Such as `spec.template.spec.containers[orders].image`.
    pub path: String,
    /// Before; null: it is new.
    pub before: Option<String>,
    /// After; null: it is removed.
    pub after: Option<String>,
}

/// An object that a session makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NewObject {
    /// Such as `Lease`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What for, in half a sentence.
    pub purpose: String,
}

/// A port of the container and where its connections go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct InboundPort {
    /// The container's port.
    pub remote: u16,
    /// What it speaks.
    pub protocol: Protocol,
    /// The port on this machine.
    pub local: u16,
    /// The container's name for it.
    pub name: Option<String>,
    /// Services that send to it, as `orders:80`.
    pub services: Vec<String>,
}

/// A service that can be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OutboundService {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its TCP ports, as `80` or `http 80`.
    pub ports: Vec<String>,
}

/// A volume of the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// The volume's name in the pod.
    pub name: String,
    /// Where it stands in the container.
    pub mount_path: String,
    /// `config map`, `secret`, `projected`, `downward API`, `empty directory`, `claim`, or the field's name in the pod.
    pub kind: String,
    /// Of what: the config map, the secret, the claim.
    pub source: Option<String>,
    /// Whether the container may only read it.
    pub read_only: bool,
    /// Only this path of the volume, where one is named.
    pub sub_path: Option<String>,
    /// How its files come to this machine.
    pub comes: VolumeComes,
}

/// How a volume's files come to this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum VolumeComes {
    /// All of them, and anew when they change.
    KeptFresh,
    /// Those that the user chooses.
    OnDemand,
    /// Not at all.
    No,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What, in two or three words.
    pub title: String,
    /// Good, warning (something is lost), or bad (forbids to connect).
    pub tone: Tone,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub fix: Option<String>,
    /// The core's code where it forbids to connect, such as `local_port_taken`, `busy`, `forbidden`.
    pub code: Option<String>,
    /// Where another session on this machine has the names: what has become of them here.
    pub taken_names: Option<TakenNames>,
}

/// What becomes of names that another session has on this machine for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TakenNames {
    /// They forbid to connect.
    Refuse,
    /// The session does without them.
    GoWithout,
}
