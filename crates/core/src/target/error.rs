//! Why a target cannot be redirected.

use towline_workload::WorkloadRef;

use super::{ContainerError, PortError};
use crate::cluster::{ClusterError, closest, list};
use crate::report::{Code, Explain, Report, causes};
use crate::request::{Target, TargetKind};

/// What the user names is not there, is several things, or cannot be redirected.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// A request failed.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No such namespace.
    #[error("The cluster of the context '{context}' has no namespace '{name}'")]
    NamespaceUnknown {
        /// What was asked for.
        name: String,
        /// The one that is spelt most like it.
        closest: Option<String>,
        /// The context.
        context: String,
    },
    /// No such object.
    #[error("There is no {} in namespace {namespace}", what(.target))]
    Unknown {
        /// What was asked for.
        target: Target,
        /// Where.
        namespace: String,
        /// The name that is spelt most like it.
        closest: Option<String>,
    },
    /// Several workloads could be meant.
    #[error("{what} in namespace {namespace} could be any of {}", list(.workloads.iter().map(short)))]
    Ambiguous {
        /// What was asked for: `'orders'`, `service/orders`.
        what: String,
        /// Where.
        namespace: String,
        /// The workloads.
        workloads: Vec<WorkloadRef>,
    },
    /// It is there, and cannot be redirected.
    #[error("{target} cannot be redirected: {reason}")]
    Unsuitable {
        /// What was asked for.
        target: String,
        /// Why.
        reason: Unsuitable,
    },
    /// The container is not known.
    #[error("The container of {workload} is not known: {source}")]
    Container {
        /// The workload.
        workload: WorkloadRef,
        /// Why.
        #[source]
        source: ContainerError,
    },
    /// The ports make no sense.
    #[error("The ports of {workload} cannot be mapped: {source}")]
    Port {
        /// The workload.
        workload: WorkloadRef,
        /// Why.
        #[source]
        source: PortError,
    },
}

/// Why something that exists cannot be redirected.
#[derive(Debug, thiserror::Error)]
pub enum Unsuitable {
    /// An ExternalName service.
    #[error(
        "it is an ExternalName service, an alias for {0} outside of the cluster; no pod is behind it"
    )]
    ExternalName(String),
    /// A service without a selector.
    #[error(
        "it has no selector, so its addresses are kept by somebody else and no pod belongs to it"
    )]
    NoSelector,
    /// A service whose selector takes nothing.
    #[error("its selector ({0}) takes no pod and no workload's pods")]
    NothingSelected(String),
    /// The pods belong to something that is not known here.
    #[error(
        "it belongs to the {kind} '{name}', a kind that Towline does not know how to change and to restore"
    )]
    Controller {
        /// The kind.
        kind: String,
        /// The name.
        name: String,
    },
    /// A Deployment that is paused.
    #[error("its rollout is paused, so no pod would get the agent")]
    Paused,
    /// No replica is wanted.
    #[error("it is scaled to 0, so there is no pod to stand in for")]
    ScaledToZero,
    /// A DaemonSet that no node wants.
    #[error("no node of the cluster wants it, so there is no pod to stand in for")]
    NoNode,
    /// A StatefulSet whose partition holds all pods back.
    #[error(
        "its update strategy has a partition that holds every pod back, so none would get the agent"
    )]
    Partition,
    /// A pod that has done its work.
    #[error("it has ended already ({0})")]
    Finished(String),
    /// It is on its way out.
    #[error("it is being deleted")]
    BeingDeleted,
    /// It cannot be understood.
    #[error("its pod template cannot be read: {0}")]
    Shape(#[source] serde_json::Error),
}

impl TargetError {
    /// `target` is not there, while `known` are.
    pub(crate) fn unknown(target: &Target, namespace: &str, known: &[String]) -> Self {
        Self::Unknown {
            target: target.clone(),
            namespace: namespace.to_owned(),
            closest: closest(&target.name, known),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Cluster(error) => return error.explain().hint,
            Self::NamespaceUnknown { closest: Some(closest), .. } => {
                format!("Did you mean '{closest}'?")
            }
            Self::NamespaceUnknown { .. } => "Check -n and --context.".to_owned(),
            Self::Unknown { closest: Some(closest), .. } => format!("Did you mean '{closest}'?"),
            Self::Unknown { namespace, .. } => {
                format!(
                    "`towline services -n {namespace}` and `towline workloads -n {namespace}` list what is there."
                )
            }
            Self::Ambiguous { workloads, .. } => {
                let first = workloads.first().map(short).unwrap_or_default();
                format!("Name the workload itself, such as {first}.")
            }
            Self::Unsuitable { reason, .. } => return reason.hint().map(str::to_owned),
            Self::Container { source, .. } => source.hint().to_owned(),
            Self::Port { source, .. } => source.hint().to_owned(),
        })
    }
}

impl Unsuitable {
    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::ExternalName(_) | Self::NoSelector | Self::NothingSelected(_) => {
                "Name the workload itself, such as deployment/NAME."
            }
            Self::Controller { .. } => {
                "Redirect a Deployment, StatefulSet, DaemonSet, ReplicaSet or a pod of its own."
            }
            Self::Paused => "Resume it first: kubectl rollout resume.",
            Self::ScaledToZero => "Scale it up first: kubectl scale --replicas=1.",
            Self::NoNode => "Check its node selector and tolerations.",
            Self::Partition => "Lower spec.updateStrategy.rollingUpdate.partition first.",
            Self::Finished(_) => "Start it again first.",
            Self::BeingDeleted => "Wait until it is gone and has been made anew.",
            Self::Shape(_) => return None,
        })
    }
}

impl Explain for TargetError {
    fn explain(&self) -> Report {
        let code = match self {
            Self::Cluster(error) => return error.explain(),
            Self::NamespaceUnknown { .. } => Code::NamespaceUnknown,
            Self::Unknown { .. } | Self::Ambiguous { .. } => Code::TargetUnknown,
            Self::Unsuitable { .. } => Code::TargetUnsuitable,
            Self::Container { .. } => Code::ContainerUnknown,
            Self::Port { .. } => Code::PortUnknown,
        };
        // The message contains the source of these two already.
        let detail = if matches!(self, Self::Container { .. } | Self::Port { .. }) {
            None
        } else {
            causes(self)
        };
        Report { code, message: format!("{self}."), hint: self.hint(), detail }
    }
}

fn what(target: &Target) -> String {
    match target.kind {
        Some(TargetKind::Service) => format!("service '{}'", target.name),
        Some(kind) => format!("{} '{}'", kind.as_str(), target.name),
        None => format!("service or workload '{}'", target.name),
    }
}

fn short(workload: &WorkloadRef) -> String {
    format!("{}/{}", workload.kind, workload.name)
}
