//! Why there is no plan.

use towline_workload::{InstallError, ReverseError, WorkloadRef};

use crate::cluster::ClusterError;
use crate::report::{Code, Explain, Report, causes};
use crate::settings::SettingsError;
use crate::target::TargetError;

/// A plan cannot be made. What only forbids to connect is no error but a [`super::Check`] of the plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The target is not there, is several things, or cannot be redirected.
    #[error("{0}")]
    Target(#[source] Box<TargetError>),
    /// A request failed.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// What there is on this machine could not be looked at.
    #[error("The names and ports of this machine could not be looked at: {0}")]
    Machine(String),
    /// The settings cannot be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The image's reference makes no sense.
    #[error("'{0}' is not the reference of an image")]
    Image(String),
    /// The lease is too short to be kept.
    #[error("A lease of {0} seconds is too short to be kept")]
    Lease(u64),
    /// The agent cannot be put in.
    #[error("The agent cannot be put into {workload}: {source}")]
    Install {
        /// The workload.
        workload: WorkloadRef,
        /// Why.
        #[source]
        source: Box<InstallError>,
    },
    /// A session is on it, and what was there before cannot be told.
    #[error("{workload} is in a session that cannot be taken back: {source}")]
    Reverse {
        /// The workload.
        workload: WorkloadRef,
        /// Why.
        #[source]
        source: Box<ReverseError>,
    },
}

impl From<TargetError> for PlanError {
    fn from(error: TargetError) -> Self {
        Self::Target(Box::new(error))
    }
}

impl Explain for PlanError {
    fn explain(&self) -> Report {
        let (code, hint) = match self {
            Self::Target(error) => return error.explain(),
            Self::Cluster(error) => return error.explain(),
            Self::Settings(error) => return error.explain(),
            Self::Machine(_) => (Code::Internal, "This is a fault of Towline; please report it."),
            Self::Image(_) => (Code::Input, "Such as registry.example/towline/agent:1."),
            Self::Lease(_) => (Code::Input, "Ask for 5 seconds or more; the default is 120."),
            Self::Install { .. } => (
                Code::TargetUnsuitable,
                "Choose another workload, or do as the message says first.",
            ),
            Self::Reverse { .. } => (
                Code::RestoreFailed,
                "Apply the workload's own manifest again, then run `towline restore` for what is left.",
            ),
        };
        Report {
            code,
            message: format!("{self}."),
            hint: Some(hint.to_owned()),
            detail: causes(self),
        }
    }
}
