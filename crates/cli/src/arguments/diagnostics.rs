//! Options of `towline diagnostics`.

use std::path::PathBuf;

use clap::Args;

use super::OutputArguments;

/// `towline diagnostics`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status 1: something is wrong.\n\nExample:\n  towline diagnostics --bundle towline-report.txt"
)]
pub(crate) struct DiagnosticsArguments {
    /// Write a report for an issue there: all of this and the ends of the log files, without secrets, and without names of servers and contexts
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
    /// Contact no cluster
    #[arg(long, conflicts_with_all = ["context", "kubeconfig"])]
    pub(crate) offline: bool,
    /// A context of the kubeconfig to look at; may be given several times [default: the current one]
    ///
    /// The contexts of sessions that run here are looked at, too. No other cluster is contacted.
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    pub(crate) context: Vec<String>,
    /// The kubeconfig file [default: those of KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub(crate) kubeconfig: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}
