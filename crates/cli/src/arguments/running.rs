//! Options of commands about a session of this user that runs.

use clap::{Args, ValueEnum};

use super::OutputArguments;

/// `towline env`.
#[derive(Debug, Args)]
#[command(
    after_help = "It holds secrets as the pod has them. -o json has each variable with its value and where it comes from.\n\nExamples:\n  towline env > .env\n  eval \"$(towline env --form shell)\"\n  towline env -o json | jq -r '.[] | .name'"
)]
pub(crate) struct EnvArguments {
    /// Which session, where you have several: its id or the beginning of it, NAME or KIND/NAME of its workload
    pub(crate) session: Option<String>,
    /// How the variables are written
    #[arg(long, value_name = "FORM", default_value = "dotenv", conflicts_with = "output")]
    pub(crate) form: EnvForm,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// The forms of an environment. What a form cannot hold is left out, with a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EnvForm {
    /// NAME=value lines, for a shell (set -a; . FILE) and for what reads .env files
    Dotenv,
    /// export lines
    Shell,
    /// $env: lines
    Powershell,
    /// For docker run --env-file
    Docker,
    /// The \"env\" of a launch.json
    LaunchJson,
}

/// `towline dns`.
#[derive(Debug, Args)]
#[command(
    after_help = "A port is well when a connection to it is taken and not cut off within three seconds; its name, when this machine's look-up leads to the address that the session has for it.\n\nExample:\n  towline dns --test"
)]
pub(crate) struct DnsArguments {
    /// Which session, where you have several: its id or the beginning of it, NAME or KIND/NAME of its workload
    pub(crate) session: Option<String>,
    /// Look each name up, and connect to each port
    #[arg(long)]
    pub(crate) test: bool,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}
