//! Options of commands that look at a namespace or at all.

use clap::Args;
use towline_core::request::Target;

use super::{ClusterArguments, OutputArguments};

/// Where to look.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScopeArguments {
    /// The namespace [default: the context's]
    #[arg(short, long, value_name = "NAME", help_heading = "Cluster")]
    pub(crate) namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace", help_heading = "Cluster")]
    pub(crate) all_namespaces: bool,
}

/// `towline services`, `workloads`, `pods`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) scope: ScopeArguments,
    #[command(flatten)]
    pub(crate) cluster: ClusterArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `towline status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    pub(crate) scope: ScopeArguments,
    #[command(flatten)]
    pub(crate) cluster: ClusterArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `towline restore`.
#[derive(Debug, Args)]
#[command(
    after_long_help = "A session that is still alive is ended when its target is named; with --all it is left alone. Its owner's `towline` tells them.\n\n\
    Examples:\n  towline restore orders -n shop\n  towline restore --all -A"
)]
pub(crate) struct RestoreArguments {
    /// What to put back: NAME, or KIND/NAME such as deployment/orders
    #[arg(required_unless_present = "all", conflicts_with_all = ["all", "all_namespaces"])]
    pub(crate) target: Option<Target>,
    /// Everything whose session is gone
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) scope: ScopeArguments,
    #[command(flatten)]
    pub(crate) cluster: ClusterArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}
