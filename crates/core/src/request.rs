//! What the user asks for, parsed but not yet looked up.

mod external;
mod ports;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::external::{ExternalHost, InvalidExternalHost};
pub use self::ports::{InvalidPortMapping, PortMapping, RemotePort, UdpPort};

/// A session as the user asks for it. Everything that is not said has its default found by [`crate::plan`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What to stand in for.
    pub target: Target,
    /// The target's namespace; default: the context's.
    pub namespace: Option<String>,
    /// Which container of the pod; needed only where several could be meant.
    pub container: Option<String>,
    /// Mappings of container ports to local ports; ports that are not named map to themselves.
    pub ports: Vec<PortMapping>,
    /// Whose services the local program can reach; default: the target's namespace.
    pub namespaces: Vec<String>,
    /// The agent's image; default: this version's.
    pub agent_image: Option<String>,
    /// The name of the secret that the agent's image is pulled with.
    pub pull_secret: Option<String>,
    /// How long the cluster waits for this client before it restores the workload by itself.
    pub lease: Duration,
    /// How long the agent's pods may take to come.
    pub timeout: Duration,
    /// Whether a session of somebody else on this workload is ended.
    pub take_over: bool,
    /// Whether to connect again after the cluster has restored the workload during a long loss.
    pub reconnect: bool,
    /// Who starts the local program.
    pub program: Program,
    /// How the local program finds the cluster's services.
    #[serde(default)]
    pub names: Names,
    /// Hosts outside the cluster that the local program reaches through it, by their own names; not with [`Names::Variables`].
    #[serde(default)]
    pub external_hosts: Vec<ExternalHost>,
    /// Whether to do without the names that another session has on this machine for something else.
    #[serde(default)]
    pub taken_names: TakenNames,
    /// Services that are left out, as `name` (of the target's namespace) or `name.namespace`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// What of the container's volumes comes to this machine.
    #[serde(default)]
    pub volumes: Volumes,
}

/// How the local program finds the cluster's services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// By their cluster names and on their own ports: each has a loopback address of its own, and the names stand in the hosts file. Needs
    /// administrator's rights.
    #[default]
    HostsFile,
    /// By the service variables only, which lead to ports of 127.0.0.1. Needs no rights.
    Variables,
    /// As with [`Self::HostsFile`], but the names stand in a hosts file of the session's own, which only a program sees that has it bound over the
    /// machine's. Needs no rights; ports that do are reached by the service variables, and have no name.
    OwnHostsFile,
}

impl Names {
    /// Whether services have addresses and names of their own.
    pub fn has_addresses(self) -> bool {
        match self {
            Self::HostsFile | Self::OwnHostsFile => true,
            Self::Variables => false,
        }
    }

    /// The mode for a program that can have a hosts file bound over the machine's: instead of none, its own.
    #[must_use]
    pub fn in_own_namespace(self) -> Self {
        match self {
            Self::Variables | Self::OwnHostsFile => Self::OwnHostsFile,
            Self::HostsFile => Self::HostsFile,
        }
    }
}

/// What becomes of names that another session has on this machine for something else: a name leads to one place, and whoever has it first keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenNames {
    /// They forbid to connect: a program that does not know would reach the other session's services.
    #[default]
    Refuse,
    /// The session has the other names only, the longer ones of the same services mostly.
    GoWithout,
}

/// What of the container's volumes comes to this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volumes {
    /// Config maps, secrets, projected tokens and the downward API, kept fresh; claims and emptyDir on demand.
    #[default]
    Small,
    /// Nothing.
    None,
}

/// Who starts the local program, and so whether its port must still be free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// Towline does, once connected: the local ports must be free before.
    StartedByTowline,
    /// The user does, or has already.
    StartedByUser,
}

impl Request {
    /// The default of [`Request::lease`].
    pub const LEASE: Duration = Duration::from_secs(120);
    /// The default of [`Request::timeout`].
    pub const TIMEOUT: Duration = Duration::from_secs(60);

    /// A request with the defaults.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            namespace: None,
            container: None,
            ports: Vec::new(),
            namespaces: Vec::new(),
            agent_image: None,
            pull_secret: None,
            lease: Self::LEASE,
            timeout: Self::TIMEOUT,
            take_over: false,
            reconnect: false,
            program: Program::StartedByUser,
            names: Names::default(),
            external_hosts: Vec::new(),
            taken_names: TakenNames::default(),
            exclude: Vec::new(),
            volumes: Volumes::default(),
        }
    }
}

/// `KIND/NAME`, or `NAME` for a service, else a workload of that name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Target {
    /// The kind, where said.
    pub kind: Option<TargetKind>,
    /// The object's name: a DNS subdomain (RFC 1123).
    pub name: String,
}

/// The kinds that can be redirected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// A service: the workload behind its selector.
    Service,
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
    /// A ReplicaSet.
    ReplicaSet,
    /// A pod: its controller, or itself when it has none.
    Pod,
}

impl TargetKind {
    /// As it stands before the slash.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
            Self::ReplicaSet => "replicaset",
            Self::Pod => "pod",
        }
    }
}

/// The text is not a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// Before the slash stands no kind that can be redirected.
    #[error(
        "'{0}' is not a kind that can be redirected; use service/, deployment/, statefulset/, daemonset/, replicaset/ or pod/"
    )]
    Kind(String),
    /// No valid name.
    #[error(
        "'{0}' is not a Kubernetes name: lower-case letters, digits, '-' and '.', at most 253, with a letter or digit at both ends"
    )]
    Name(String),
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, name) = match text.split_once('/') {
            None => (None, text),
            Some((kind, name)) => {
                let known = match kind.to_ascii_lowercase().as_str() {
                    "service" | "services" | "svc" => TargetKind::Service,
                    "deployment" | "deployments" | "deploy" => TargetKind::Deployment,
                    "statefulset" | "statefulsets" | "sts" => TargetKind::StatefulSet,
                    "daemonset" | "daemonsets" | "ds" => TargetKind::DaemonSet,
                    "replicaset" | "replicasets" | "rs" => TargetKind::ReplicaSet,
                    "pod" | "pods" | "po" => TargetKind::Pod,
                    _ => return Err(InvalidTarget::Kind(kind.to_owned())),
                };
                (Some(known), name)
            }
        };
        if !is_subdomain(name) {
            return Err(InvalidTarget::Name(name.to_owned()));
        }
        Ok(Self { kind, name: name.to_owned() })
    }
}

/// Whether `name` is a DNS subdomain as Kubernetes wants it (RFC 1123 §2.1, at most 253 bytes).
pub fn is_subdomain(name: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let label = |label: &str| {
        let bytes = label.as_bytes();
        bytes.iter().all(|b| alphanumeric(*b) || *b == b'-')
            && bytes.first().is_some_and(|b| alphanumeric(*b))
            && bytes.last().is_some_and(|b| alphanumeric(*b))
    };
    name.len() <= 253 && name.split('.').all(label)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(kind) => write!(f, "{}/{}", kind.as_str(), self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl TryFrom<String> for Target {
    type Error = InvalidTarget;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let target: Target = "orders".parse().unwrap();
        assert_eq!((target.kind, target.name.as_str()), (None, "orders"));
        for (text, kind) in [
            ("svc/orders", TargetKind::Service),
            ("Deployment/orders", TargetKind::Deployment),
            ("sts/orders", TargetKind::StatefulSet),
            ("daemonsets/orders", TargetKind::DaemonSet),
            ("rs/orders", TargetKind::ReplicaSet),
            ("pod/orders.x-1", TargetKind::Pod),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().kind, Some(kind), "{text}");
        }
        assert_eq!("job/x".parse::<Target>(), Err(InvalidTarget::Kind("job".into())));
        for bad in ["", "a/b/c", "pod/", "Orders", "-a", "a-", "a..b", "a b", "a\n", "ä"] {
            assert!(bad.parse::<Target>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn without_rights_a_program_in_its_own_namespace_has_its_own_hosts_file() {
        assert_eq!(Names::Variables.in_own_namespace(), Names::OwnHostsFile);
        assert_eq!(Names::HostsFile.in_own_namespace(), Names::HostsFile);
        assert!(Names::OwnHostsFile.has_addresses() && !Names::Variables.has_addresses());
        let written = serde_json::to_string(&Names::OwnHostsFile).unwrap();
        assert_eq!(written, "\"own_hosts_file\"");
    }
}
