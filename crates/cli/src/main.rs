//! `towline`: Towline's sessions from the command line.

mod agent;
mod arguments;
mod connect;
mod failure;
mod leftovers;
mod list;
mod output;
mod plan;
mod progress;
mod rbac;
mod reference;
mod refusal;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Command, Format};
use crate::failure::Failure;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refusal::tell(&error),
    };
    let (format, verbose) = (arguments.command.format(), arguments.talk.verbose);
    log(verbose);
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
        Command::Status(arguments) => leftovers::status(&arguments).await?,
        Command::Restore(arguments) => leftovers::restore(&arguments).await?,
        Command::Rbac(arguments) => rbac::run(&arguments),
        Command::Agent(command) => agent::run(command).await?,
        Command::Completions { shell } => reference::completions(shell),
        Command::Man { output } => reference::man(output.as_deref())?,
    }
    Ok(0)
}

/// Logs to standard error, as `-v` or `TOWLINE_LOG` say; without either, only what should not happen.
fn log(verbose: u8) {
    let default = match verbose {
        0 => "error",
        1 => "warn",
        2 => "info,towline=debug,towline_core=debug,towline_workload=debug",
        _ => "trace,hyper=info,h2=info,rustls=info,tungstenite=info",
    };
    let filter = EnvFilter::try_from_env("TOWLINE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false)
        .init();
}

impl Command {
    fn format(&self) -> Format {
        match self {
            Self::Contexts(arguments) => arguments.output.output,
            Self::Services(arguments) | Self::Workloads(arguments) | Self::Pods(arguments) => {
                arguments.output.output
            }
            Self::Plan(arguments) => arguments.output.output,
            Self::Connect(arguments) => arguments.output.output,
            Self::Status(arguments) => arguments.output.output,
            Self::Restore(arguments) => arguments.output.output,
            Self::Agent(arguments::AgentCommand::Save(arguments)) => arguments.output.output,
            Self::Agent(arguments::AgentCommand::Push(arguments)) => arguments.output.output,
            Self::Rbac(_) | Self::Completions { .. } | Self::Man { .. } => Format::Text,
        }
    }
}
