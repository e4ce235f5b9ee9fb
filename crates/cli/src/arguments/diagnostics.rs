//! Options of `towline diagnostics`.

use std::path::PathBuf;

use clap::Args;

use super::{ClusterArguments, OutputArguments};

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
    #[command(flatten)]
    pub(crate) cluster: ClusterArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}
