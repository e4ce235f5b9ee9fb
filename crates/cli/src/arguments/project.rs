//! Options of `towline project`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::OutputArguments;

/// `towline project`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProjectCommand {
    /// Read a project file and say what it means; contacts no cluster
    Check(ProjectFileArguments),
    /// Print a towline.yaml that says the same as a KubernetesLocalProcessConfig.yaml of Bridge to Kubernetes
    #[command(
        after_help = "Example:\n  towline project import KubernetesLocalProcessConfig.yaml > towline.yaml"
    )]
    Import(ProjectFileArguments),
    /// Print the JSON schema of towline.yaml, for editors
    Schema,
}

/// Which file.
#[derive(Debug, Args)]
pub(crate) struct ProjectFileArguments {
    /// The file [default: the nearest in this directory and above it]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}
