//! Names of the cluster on this machine: which names a service has, the loopback address that each leads to, and what of it stands in the hosts file.
//!
//! In hosts mode each service, each pod of a headless service, and each external host has an address of its own out of 127.77.0.0/16 and keeps its own
//! ports there. The names are those that a pod of the target's namespace can use (`docs/environment.md` tells users the rules). Nothing here asks a
//! cluster or writes the hosts file.

mod addresses;
mod others;
pub(crate) mod socket;
mod state;
mod table;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use towline_machine::{HostName, LoopbackAddress};

pub use self::addresses::{Addresses, NETWORK};
pub use self::others::{Standing, standing};
pub use self::state::{NameEntry, NamePort, SessionNames, StateError, running};
pub use self::table::{Clash, Table, table};

/// The cluster's own domain where nothing else is known (`clusterDomain` of the kubelet's configuration).
pub const DOMAIN: &str = "cluster.local";

/// What names lead to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// A service.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A pod of a headless service.
    Pod {
        /// Its namespace.
        namespace: String,
        /// The service.
        service: String,
        /// The pod's host name.
        pod: String,
    },
    /// A host outside the cluster.
    External {
        /// Its name.
        host: HostName,
    },
}

impl Subject {
    /// A service.
    pub fn service(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self::Service { namespace: namespace.into(), name: name.into() }
    }

    /// The namespace; empty for what is outside the cluster.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Service { namespace, .. } | Self::Pod { namespace, .. } => namespace,
            Self::External { .. } => "",
        }
    }

    /// The name within its namespace: a pod's has its service's behind it.
    pub fn label(&self) -> String {
        match self {
            Self::Service { name, .. } => name.clone(),
            Self::Pod { service, pod, .. } => format!("{pod}.{service}"),
            Self::External { host } => host.to_string(),
        }
    }

    /// The names that a pod of namespace `home` has for it, the shortest first, each with its rank: where two things claim one name, the lower rank
    /// has it. The order is that of a pod's search list (`home.svc.DOMAIN`, `svc.DOMAIN`, `DOMAIN`), which comes before the name as it stands.
    pub(crate) fn names(&self, home: &str, domain: &str) -> Vec<(u8, String)> {
        let label = self.label();
        if let Self::External { .. } = self {
            return vec![(4, label)];
        }
        let namespace = self.namespace();
        let short = (namespace == home).then(|| (0, label.clone()));
        let longer = [
            (1, format!("{label}.{namespace}")),
            (2, format!("{label}.{namespace}.svc")),
            (3, format!("{label}.{namespace}.svc.{domain}")),
        ];
        short.into_iter().chain(longer).collect()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::External { host } => host.fmt(f),
            _ => write!(f, "{}.{}", self.label(), self.namespace()),
        }
    }
}

/// What a session in hosts mode puts on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostsPlan {
    /// The cluster's domain as far as it is known before the agent runs.
    pub domain: String,
    /// The lines, in the order in which they will stand in the hosts file.
    pub hosts: Vec<PlannedHost>,
    /// Ports that are listened on at no address: those left to the local program, which could not have them otherwise if it listens on all addresses, and
    /// with [`crate::request::Names::OwnHostsFile`] those that cannot be had without rights. Services that have such a port get another for it, which their
    /// variables tell, and a name only where they have others.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub left: BTreeSet<u16>,
    /// The same of UDP ports.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub left_udp: BTreeSet<u16>,
    /// Names that another session has for something else, and that this one does without.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub without: BTreeSet<HostName>,
    /// Addresses of the same network that stand in the hosts file already: other sessions', or the user's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<LoopbackAddress>,
}

impl HostsPlan {
    /// How many names there are.
    pub fn names(&self) -> usize {
        self.hosts.iter().map(|host| host.names.len()).sum()
    }

    /// The ports that only an administrator may listen on (`ip_unprivileged_port_start`, ip(7)).
    pub fn low_ports(&self) -> BTreeSet<u16> {
        let start = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
        let start = start.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1024);
        self.hosts
            .iter()
            .flat_map(|host| &host.ports)
            .copied()
            .filter(|port| *port < start)
            .collect()
    }
}

/// One line of the hosts file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedHost {
    /// What the names lead to.
    pub subject: Subject,
    /// The address on this machine.
    pub address: LoopbackAddress,
    /// The names, the shortest first; none where others have them all.
    pub names: Vec<HostName>,
    /// The TCP ports that are listened on at that address.
    pub ports: Vec<u16>,
    /// The UDP ports that datagrams are taken on at that address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub udp_ports: Vec<u16>,
}

impl PlannedHost {
    /// Whether the names lead to the local program directly: then there are no ports.
    pub fn is_program(&self) -> bool {
        self.ports.is_empty() && self.udp_ports.is_empty()
    }
}

/// The services that the user leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excluded(BTreeSet<(String, String)>);

impl Excluded {
    /// From what the request says: `name` of the namespace `home`, or `name.namespace`.
    pub fn of(exclude: &[String], home: &str) -> Self {
        let service = |text: &String| match text.split_once('.') {
            Some((name, namespace)) => (namespace.to_owned(), name.to_owned()),
            None => (home.to_owned(), text.clone()),
        };
        Self(exclude.iter().map(service).collect())
    }

    /// Whether a service is left out.
    pub fn has(&self, namespace: &str, service: &str) -> bool {
        self.0.contains(&(namespace.to_owned(), service.to_owned()))
    }

    /// Those that `known` does not have, as `name.namespace`: misspelt, most likely.
    pub fn unknown<'a>(
        &'a self,
        known: impl Fn(&str, &str) -> bool + 'a,
    ) -> impl Iterator<Item = String> + 'a {
        self.0
            .iter()
            .filter(move |(namespace, name)| !known(namespace, name))
            .map(|(namespace, name)| format!("{name}.{namespace}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn texts(subject: &Subject) -> Vec<String> {
        subject.names("shop", "cluster.local").into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn the_names_of_a_pods_search_list() {
        assert_eq!(
            texts(&Subject::service("shop", "redis")),
            ["redis", "redis.shop", "redis.shop.svc", "redis.shop.svc.cluster.local"]
        );
        assert_eq!(
            texts(&Subject::service("billing", "db")),
            ["db.billing", "db.billing.svc", "db.billing.svc.cluster.local"]
        );
        let pod =
            Subject::Pod { namespace: "shop".into(), service: "web".into(), pod: "web-0".into() };
        assert_eq!(texts(&pod)[..2], ["web-0.web", "web-0.web.shop"]);
        assert_eq!(pod.to_string(), "web-0.web.shop");
        let external = Subject::External { host: "db.example.com".parse().unwrap() };
        assert_eq!(texts(&external), ["db.example.com"]);
        assert_eq!(external.to_string(), "db.example.com");
    }

    #[test]
    fn what_is_left_out() {
        let excluded = Excluded::of(&["redis".into(), "db.billing".into()], "shop");
        assert!(excluded.has("shop", "redis") && excluded.has("billing", "db"));
        assert!(!excluded.has("billing", "redis"));
        let unknown: Vec<_> = excluded.unknown(|_, name| name == "redis").collect();
        assert_eq!(unknown, ["db.billing"]);
    }
}
