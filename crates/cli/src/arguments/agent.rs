//! Options of `towline agent`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use towline_image::Architecture;

use super::OutputArguments;

/// What to do with the agent's image.
#[derive(Debug, Subcommand)]
pub(crate) enum AgentCommand {
    /// Save the image as an archive that containerd, Docker and kind load
    Save(SaveArguments),
    /// Push the image to a registry, without Docker
    Push(PushArguments),
}

/// Which agent.
#[derive(Debug, Args)]
pub(crate) struct SourceArguments {
    /// Take this agent instead of the one that this program carries; its processor is read from the file. May be repeated
    #[arg(long = "binary", value_name = "FILE")]
    pub(crate) binaries: Vec<PathBuf>,
}

/// `towline agent save`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  towline agent save agent.tar && kind load image-archive agent.tar\n  towline agent save - | ssh node1 ctr -n k8s.io images import -\n  towline agent save - | docker load"
)]
pub(crate) struct SaveArguments {
    /// The archive; - is standard output
    pub(crate) file: PathBuf,
    /// What the image is called [default: this version's reference]
    #[arg(long, value_name = "NAME:TAG")]
    pub(crate) reference: Option<String>,
    /// For which processor: amd64 or arm64 [default: the first that there is]
    #[arg(long, value_name = "NAME")]
    pub(crate) arch: Option<Architecture>,
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `towline agent push`.
#[derive(Debug, Args)]
#[command(
    after_help = "User and password are Docker's: from `docker login` (~/.docker/config.json or DOCKER_CONFIG), credential helpers included.\n\
    Where there is an agent for more than one processor, an index of all is pushed.\n\n\
    Examples:\n  towline agent push registry.example.com/tools/towline-agent:1\n  \
    towline connect orders --agent-image registry.example.com/tools/towline-agent:1 …"
)]
pub(crate) struct PushArguments {
    /// Where to: REGISTRY/NAME:TAG; without a tag this version's number is taken
    pub(crate) reference: String,
    /// Speak HTTP without TLS
    #[arg(long, conflicts_with_all = ["ca", "insecure"])]
    pub(crate) plain_http: bool,
    /// Trust the authorities of this file (PEM) besides the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Do not verify the registry's certificate
    #[arg(long, conflicts_with = "ca")]
    pub(crate) insecure: bool,
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}
