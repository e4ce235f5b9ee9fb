//! `towline-agent`: stands in for a container of a pod, or waits to put a workload back.

use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use towline_agent::{restore, serve};
use towline_wire::header::Variable;
use towline_wire::{KeyDigest, SessionId};
use towline_workload::{Kind, WorkloadRef};
use tracing::Level;

/// The part of Towline that runs in the cluster. It is started by Towline, not by hand.
#[derive(Debug, Parser)]
#[command(name = "towline-agent", version)]
struct Arguments {
    /// How much is logged, to standard error: error, warn, info, debug or trace
    #[arg(long, global = true, default_value = "info")]
    log: Level,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Stand in for a container
    Serve {
        /// The session's id
        #[arg(long)]
        session: SessionId,
        /// The SHA-256 of the session's key, 64 hexadecimal digits
        #[arg(long)]
        key_sha256: KeyDigest,
        /// The port of the pod's loopback on which the client is awaited
        #[arg(long)]
        control_port: u16,
        /// A TCP port of the container; may be given several times
        #[arg(long = "listen")]
        ports: Vec<u16>,
        /// A UDP port of the container; may be given several times
        #[arg(long = "listen-udp")]
        udp_ports: Vec<u16>,
    },
    /// Wait until the session's lease lapses or goes, then put the workload back
    Restore {
        /// The workload's namespace
        #[arg(long)]
        namespace: String,
        /// The session's lease
        #[arg(long)]
        lease: String,
        /// The session's id
        #[arg(long)]
        session: SessionId,
        /// The workload's kind
        #[arg(long)]
        kind: Kind,
        /// The workload's name
        #[arg(long)]
        name: String,
    },
}

fn main() -> ExitCode {
    // Before anything could change it: this is what the container was given.
    let environment = std::env::vars_os().map(|(name, value)| Variable {
        name: name.into_vec().into(),
        value: value.into_vec().into(),
    });
    let environment: Vec<Variable> = environment.collect();
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_max_level(arguments.log)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .init();
    // Two are enough to move bytes both ways at once; more would only cost memory in each pod.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("starting failed: {error}")),
    };
    let result = runtime.block_on(run(arguments.command, environment));
    // Tasks that still carry connections are not waited for.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => failed(&message),
    }
}

fn failed(message: &str) -> ExitCode {
    tracing::error!("{message}");
    ExitCode::FAILURE
}

async fn run(command: Command, environment: Vec<Variable>) -> Result<(), String> {
    // Process 1 has no default handlers: without these, the kubelet would have to kill it after the grace period.
    let told_to_end = told_to_end().map_err(|error| format!("no signal handlers: {error}"))?;
    match command {
        Command::Serve { session, key_sha256, control_port, ports, udp_ports } => {
            let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let settings = serve::Settings {
                session,
                digest: key_sha256,
                control_port,
                ports,
                udp_ports,
                environment,
                host: host.trim().to_owned(),
            };
            let agent = serve::Agent::bind(settings).map_err(|error| error.to_string())?;
            agent.run(told_to_end).await;
            Ok(())
        }
        Command::Restore { namespace, lease, session, kind, name } => {
            let workload = WorkloadRef { kind, namespace, name };
            let restorer = restore::Restorer { workload, lease, session: session.to_string() };
            tokio::select! {
                done = restorer.run() => done.map_err(|error| error.to_string()),
                // The Job is being deleted; whoever does that has put the workload back.
                () = told_to_end => Ok(()),
            }
        }
    }
}

fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
