//! The command line as clap parses it. What the options mean is said here, once: `--help`, the man pages and the completions are made of it.

mod agent;
mod diagnostics;
mod files;
mod list;
mod project;
mod running;
mod session;

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Style, Styles};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::agent::{AgentCommand, PushArguments, SaveArguments, SourceArguments};
pub(crate) use self::diagnostics::DiagnosticsArguments;
pub(crate) use self::files::{
    FilesCommand, GetFilesArguments, ListFilesArguments, PutFilesArguments,
};
pub(crate) use self::list::{ListArguments, RestoreArguments, ScopeArguments, StatusArguments};
pub(crate) use self::project::{ProjectCommand, ProjectFileArguments};
pub(crate) use self::running::{DnsArguments, EnvArguments, EnvForm};
pub(crate) use self::session::{ConnectArguments, PlanArguments, SessionArguments, VolumesWanted};

const STYLES: Styles = Styles::styled()
    .header(Style::new().bold())
    .usage(Style::new().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(AnsiColor::BrightBlack.on_default());

const ABOUT: &str = "Run your own process as if it were a pod of a Kubernetes cluster";

const LONG_ABOUT: &str = "\
Run your own process as if it were a pod of a Kubernetes cluster.

Towline puts a small agent in the place of one container. What the cluster sends to that container comes to your machine; your program gets the \
container's environment and reaches the cluster's services. At the end, however it comes, the workload is what it was.";

const EXAMPLES: &str = "\
First steps:
  towline services -n shop                              what can be redirected
  towline plan orders -n shop                           what would change; changes nothing
  towline connect                                       what towline.yaml says, in this directory or above it
  towline connect orders -n shop -- python3 orders.py   run orders.py in the pods' place
  towline dns                                           the names that it has here meanwhile
  towline status                                        open sessions, yours and others'

Exit status: that of your program for `connect … -- COMMAND`; otherwise 0, or 1 for a failure, 2 for wrong input, 3 for the way to the cluster, 4 for \
missing rights, 5 for a target that somebody else has or changed, 6 for an agent that does not start, 7 for a workload that is not put back.";

/// `towline`.
#[derive(Debug, Parser)]
#[command(
    name = "towline",
    version,
    about = ABOUT,
    long_about = LONG_ABOUT,
    after_help = EXAMPLES,
    styles = STYLES,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    max_term_width = 110
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) talk: Talk,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How much is said besides the result.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Talk {
    /// Tell more on standard error: with an error its causes; twice, what is done; three times, everything
    ///
    /// The variable TOWLINE_LOG says it in more detail, such as TOWLINE_LOG=towline_core=debug,kube=info.
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Everywhere", display_order = 100)]
    pub(crate) verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the contexts of the kubeconfig
    ///
    /// Reads the files of KUBECONFIG, or ~/.kube/config. Contacts no cluster and runs no plugin.
    Contexts(ContextsArguments),
    /// List services
    #[command(
        after_help = "Examples:\n  towline services -n shop\n  towline services -A -o json | jq '.[].name'"
    )]
    Services(ListArguments),
    /// List workloads: Deployments, StatefulSets, DaemonSets, ReplicaSets without a Deployment
    Workloads(ListArguments),
    /// List pods
    Pods(ListArguments),
    /// Show what a session would change, in the cluster and here; changes nothing
    Plan(PlanArguments),
    /// Stand in for a container: run a command, or wait, until it ends
    Connect(ConnectArguments),
    /// Print the environment that a session of yours gives to its program
    Env(EnvArguments),
    /// Print the names, addresses and ports that a session of yours has on this machine
    Dns(DnsArguments),
    /// List, copy and write back files of a session's volumes
    #[command(subcommand)]
    Files(FilesCommand),
    /// Check a project file, or make one of a file of Bridge to Kubernetes
    #[command(subcommand)]
    Project(ProjectCommand),
    /// Say what is wrong with this machine or the cluster, each with one fix
    Diagnostics(DiagnosticsArguments),
    /// List open sessions and what sessions have left behind
    Status(StatusArguments),
    /// Put workloads back that a session has left behind
    Restore(RestoreArguments),
    /// Print the smallest role that Towline needs, as YAML
    #[command(
        after_help = "Example:\n  towline rbac -n shop --user jane@example.com | kubectl apply -f -"
    )]
    Rbac(RbacArguments),
    /// Save or push the agent's image, which this program carries
    #[command(subcommand)]
    Agent(AgentCommand),
    /// Print the completions for a shell
    #[command(
        after_help = "Examples:\n  source <(towline completions bash)\n  towline completions fish > ~/.config/fish/completions/towline.fish"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write a page for each command
    Man {
        /// Write towline.1, towline-connect.1, … there
        #[arg(long, value_name = "DIR")]
        output: Option<PathBuf>,
    },
}

/// Which cluster.
#[derive(Clone, Debug, Args)]
pub(crate) struct ClusterArguments {
    /// The kubeconfig's context [default: the current one]
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    pub(crate) context: Option<String>,
    /// The kubeconfig file [default: those of KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub(crate) kubeconfig: Option<PathBuf>,
}

/// How the result is written.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct OutputArguments {
    /// How to write the result
    #[arg(short, long, value_name = "FORMAT", default_value = "text", hide_default_value = true)]
    pub(crate) output: Format,
}

/// The forms of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs; an error is {"error":{"code":…,"message":…}}
    Json,
}

/// `towline contexts`.
#[derive(Debug, Args)]
pub(crate) struct ContextsArguments {
    /// The kubeconfig file [default: those of KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `towline rbac`.
#[derive(Debug, Args)]
pub(crate) struct RbacArguments {
    /// The namespace whose workloads may be redirected
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    pub(crate) namespace: String,
    /// A role for all namespaces
    #[arg(short = 'A', long, conflicts_with_all = ["namespace", "namespaces"])]
    pub(crate) all_namespaces: bool,
    /// Further namespaces whose services may be reached
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) namespaces: Vec<String>,
    /// Who gets the role: a user, as the cluster knows them
    #[arg(long, value_name = "NAME", default_value = "developer", group = "subject")]
    pub(crate) user: String,
    /// Who gets the role: a group
    #[arg(long, value_name = "NAME", group = "subject")]
    pub(crate) group: Option<String>,
    /// Who gets the role: a service account
    #[arg(long, value_name = "NAMESPACE:NAME", value_parser = service_account, group = "subject")]
    pub(crate) service_account: Option<(String, String)>,
}

fn service_account(text: &str) -> Result<(String, String), String> {
    let parts =
        text.split_once(':').filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty());
    let (namespace, name) = parts.ok_or_else(|| format!("'{text}' is not NAMESPACE:NAME"))?;
    Ok((namespace.to_owned(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn clap_finds_no_fault() {
        Arguments::command().debug_assert();
    }
}
