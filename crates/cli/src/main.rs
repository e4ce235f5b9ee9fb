//! `towline`: Towline's sessions from the command line.

mod agent;
mod arguments;
mod connect;
mod diagnostics;
mod dns;
mod env;
mod failure;
mod files;
#[cfg(target_os = "linux")]
mod inside;
#[cfg(not(target_os = "linux"))]
#[path = "inside_elsewhere.rs"]
mod inside;
mod leftovers;
mod list;
mod output;
mod plan;
mod progress;
mod project;
mod rbac;
mod reference;
mod refusal;
mod running;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use towline_core::logs::{self, LogFiles};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::arguments::{Arguments, Command, Format};
use crate::failure::Failure;

fn main() -> ExitCode {
    if let Some(status) = inside::asked() {
        return status;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refusal::tell(&error),
    };
    let (format, verbose) = (arguments.command.format(), arguments.talk.verbose);
    log(verbose, &arguments.command);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::complain(&format!("error: cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(run(arguments.command));
    // Not for the tasks that are left: a name look-up that hangs would hold the end up.
    runtime.shutdown_background();
    match done {
        Ok(status) => status.into(),
        Err(failure) => {
            failure.tell(format, verbose);
            failure.status().into()
        }
    }
}

/// The exit status.
async fn run(command: Command) -> Result<u8, Failure> {
    match command {
        Command::Contexts(arguments) => list::contexts(&arguments)?,
        Command::Services(arguments) => list::services(&arguments).await?,
        Command::Workloads(arguments) => list::workloads(&arguments).await?,
        Command::Pods(arguments) => list::pods(&arguments).await?,
        Command::Plan(arguments) => plan::run(&arguments).await?,
        Command::Connect(arguments) => return connect::run(arguments).await,
        Command::Env(arguments) => env::run(&arguments)?,
        Command::Dns(arguments) => return dns::run(&arguments).await,
        Command::Files(command) => files::run(command).await?,
        Command::Project(command) => project::run(&command)?,
        Command::Diagnostics(arguments) => return diagnostics::run(&arguments).await,
        Command::Status(arguments) => leftovers::status(&arguments).await?,
        Command::Restore(arguments) => leftovers::restore(&arguments).await?,
        Command::Rbac(arguments) => rbac::run(&arguments),
        Command::Agent(command) => agent::run(command).await?,
        Command::Completions { shell } => reference::completions(shell),
        Command::Man { output } => reference::man(output.as_deref())?,
    }
    Ok(0)
}

/// Logs to standard error, as `-v` or `TOWLINE_LOG` say; without either, only what should not happen. What changes something keeps a log file too.
fn log(verbose: u8, command: &Command) {
    let default = match verbose {
        0 => "error",
        1 => "warn",
        2 => "info,towline=debug,towline_core=debug,towline_workload=debug",
        _ => "trace,hyper=info,h2=info,rustls=info,tungstenite=info",
    };
    let filter = EnvFilter::try_from_env("TOWLINE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let on_screen = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false)
        .with_filter(filter);
    let keeps = matches!(command, Command::Connect(_) | Command::Restore(_) | Command::Files(_));
    // Without the file it goes on; `towline diagnostics` says what is wrong with it.
    let files = keeps.then(|| LogFiles::open(&logs::directory(), LOG_FILE).ok()).flatten();
    let in_file = files.map(|files| {
        let filter = EnvFilter::new(IN_FILE);
        fmt::layer().with_writer(move || files.clone()).with_ansi(false).with_filter(filter)
    });
    tracing_subscriber::registry().with(on_screen).with(in_file).init();
}

/// The command line's log file, beside the window's.
pub(crate) const LOG_FILE: &str = "towline-cli.log";

/// Towline itself; what is below tells of requests and their headers when it tells much, so that never says more than what went wrong.
const IN_FILE: &str =
    "warn,towline=info,towline_core=info,towline_workload=info,towline_helper=info";

impl Command {
    fn format(&self) -> Format {
        match self {
            Self::Contexts(arguments) => arguments.output.output,
            Self::Services(arguments) | Self::Workloads(arguments) | Self::Pods(arguments) => {
                arguments.output.output
            }
            Self::Plan(arguments) => arguments.output.output,
            Self::Connect(arguments) => arguments.output.output,
            Self::Env(arguments) => arguments.output.output,
            Self::Dns(arguments) => arguments.output.output,
            Self::Files(command) => command.format(),
            Self::Diagnostics(arguments) => arguments.output.output,
            Self::Project(
                arguments::ProjectCommand::Check(arguments)
                | arguments::ProjectCommand::Import(arguments),
            ) => arguments.output.output,
            Self::Status(arguments) => arguments.output.output,
            Self::Restore(arguments) => arguments.output.output,
            Self::Agent(arguments::AgentCommand::Save(arguments)) => arguments.output.output,
            Self::Agent(arguments::AgentCommand::Push(arguments)) => arguments.output.output,
            Self::Rbac(_) | Self::Project(_) | Self::Completions { .. } | Self::Man { .. } => {
                Format::Text
            }
        }
    }
}
