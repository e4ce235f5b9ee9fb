//! Which object of the cluster a session is about.

use std::fmt;
use std::str::FromStr;

use kube::api::{Api, ApiResource, DynamicObject};
use serde::{Deserialize, Serialize};

/// The kinds of workload that can be redirected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` StatefulSet.
    StatefulSet,
    /// `apps/v1` DaemonSet.
    DaemonSet,
    /// `apps/v1` ReplicaSet that belongs to no Deployment.
    ReplicaSet,
    /// `v1` Pod that belongs to no controller.
    Pod,
}

/// The text names no kind that can be redirected.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is not a kind of workload: deployment, statefulset, daemonset, replicaset or pod is expected"
)]
pub struct UnknownKind(String);

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Deployment, Self::StatefulSet, Self::DaemonSet, Self::ReplicaSet, Self::Pod];

    /// The kind in lower case, as kubectl shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
            Self::ReplicaSet => "replicaset",
            Self::Pod => "pod",
        }
    }

    /// The abbreviation for names of objects.
    pub fn short(self) -> &'static str {
        match self {
            Self::Deployment => "deploy",
            Self::StatefulSet => "sts",
            Self::DaemonSet => "ds",
            Self::ReplicaSet => "rs",
            Self::Pod => "pod",
        }
    }

    /// The resource in the plural, as rules of a Role name it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Deployment => "deployments",
            Self::StatefulSet => "statefulsets",
            Self::DaemonSet => "daemonsets",
            Self::ReplicaSet => "replicasets",
            Self::Pod => "pods",
        }
    }

    /// The API group; empty for a pod.
    pub fn group(self) -> &'static str {
        if self == Self::Pod { "" } else { "apps" }
    }

    /// The resource as the API serves it.
    pub fn api_resource(self) -> ApiResource {
        let kind = match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::Pod => "Pod",
        };
        resource(self.group(), "v1", kind, self.plural())
    }

    /// The JSON pointer of the pod template; empty for a pod, which is its own.
    pub fn template(self) -> &'static str {
        if self == Self::Pod { "" } else { "/spec/template" }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    /// Takes the singular, the plural and kubectl's abbreviation, in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let named = |kind: &Self| {
            [kind.as_str(), kind.plural(), kind.short()].contains(&lower.as_str())
                || (*kind == Self::Pod && lower == "po")
        };
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// One workload of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkloadRef {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl WorkloadRef {
    /// The API of the workload's kind in its namespace.
    pub fn api(&self, client: kube::Client) -> Api<DynamicObject> {
        Api::namespaced_with(client, &self.namespace, &self.kind.api_resource())
    }
}

impl fmt::Display for WorkloadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} in namespace {}", self.kind, self.name, self.namespace)
    }
}

/// A resource by its parts; `group` is empty for the core group.
pub(crate) fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    let api_version =
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version,
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_as_kubectl_reads_it() {
        for (text, kind) in [
            ("deployment", Kind::Deployment),
            ("deploy", Kind::Deployment),
            ("StatefulSets", Kind::StatefulSet),
            ("po", Kind::Pod),
            ("ds", Kind::DaemonSet),
        ] {
            assert_eq!(text.parse::<Kind>().unwrap(), kind);
        }
        assert!("service".parse::<Kind>().is_err());
    }

    #[test]
    fn a_workload_is_shown_with_its_namespace() {
        let orders =
            WorkloadRef { kind: Kind::Deployment, namespace: "shop".into(), name: "orders".into() };
        assert_eq!(orders.to_string(), "deployment/orders in namespace shop");
    }
}
