//! From a target to a session: the request, profiles.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What the launcher's form holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LaunchRequest {
    /// The context.
    pub context: String,
    /// The target's namespace.
    pub namespace: String,
    /// `service/orders`, `deployment/orders`, `pod/…`, or a bare name.
    pub target: String,
    /// The container; null: the one that is meant, if there is only one.
    pub container: Option<String>,
    /// Mappings; ports that are not named map to themselves.
    pub ports: Vec<PortMapping>,
    /// Whose services the program reaches; empty: the target's namespace.
    pub namespaces: Vec<String>,
    /// How the local program is started.
    pub program: ProgramSpec,
    /// How names and ports of services come to this machine.
    pub mode: Mode,
    /// The agent's image; null: as the settings say.
    pub agent_image: Option<String>,
    /// The secret that it is pulled with; null: as the settings say.
    pub pull_secret: Option<String>,
    /// How long the cluster waits for this machine before it restores by itself; null: as the settings say.
    pub lease_seconds: Option<u32>,
    /// Whether somebody else's session on the workload is ended.
    pub take_over: bool,
    /// Whether to connect again by itself after the cluster has restored during a long loss.
    pub reconnect: bool,
    /// Services that are left out, as `name` (of the target's namespace) or `name.namespace`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Hosts outside the cluster that are reached through it; only where services have names.
    #[serde(default)]
    pub external_hosts: Vec<ExternalHost>,
    /// The project file that the form was filled from: its variables come on top of the container's, and what the form has no field for holds too.
    #[serde(default)]
    pub project: Option<String>,
    /// What of the container's volumes comes to this machine.
    #[serde(default)]
    pub files: Files,
    /// Whether the session does without names that another one has on this machine for something else; otherwise they forbid to connect.
    #[serde(default)]
    pub without_taken_names: bool,
}

/// What of the container's volumes comes to this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Files {
    /// Config maps, secrets, projected tokens and the downward API, kept fresh; the rest on demand.
    #[default]
    Small,
    /// Nothing.
    None,
}

/// A container's port and the port on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PortMapping {
    /// The container's port, by number or name.
    pub remote: String,
    /// The local port.
    pub local: u16,
}

/// A host outside the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExternalHost {
    /// Its name.
    pub name: String,
    /// Its TCP ports.
    pub ports: Vec<u16>,
}

/// How the local program is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "start", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ProgramSpec {
    /// The user starts it.
    ByUser,
    /// Towline starts it once connected.
    Command {
        /// The command with its arguments, quoted as for a shell; no shell runs it.
        line: String,
        /// Its working directory; null: the user's home.
        directory: Option<String>,
    },
}

/// How names and ports of services come to this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Services by their cluster names and on their own ports: lines in the hosts file. Needs administrator rights.
    #[default]
    HostsFile,
    /// Services on 127.0.0.1 with free ports, the environment rewritten. Needs no rights.
    NoAdministrator,
}

/// A launch that is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Unique.
    pub id: String,
    /// The user's name for it, at first such as `orders (shop)`.
    pub name: String,
    /// The form.
    pub request: LaunchRequest,
    /// When a session was last begun with it.
    #[ts(type = "number | null")]
    pub used: Option<i64>,
}
