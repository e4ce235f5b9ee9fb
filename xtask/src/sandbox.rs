//! A real single-node Kubernetes on a plain Debian machine, as root, without Docker: etcd, API server, controller manager, scheduler, kubelet,
//! kube-proxy, containerd and runc. `sandbox/README.md` tells why it is built as it is.

mod build;
mod cluster;
mod control_groups;
mod control_plane;
mod dns;
mod down;
mod images;
mod kind;
mod network;
mod node;
pub(crate) mod packages;
mod pki;
mod processes;
mod second;
mod up;
mod wait;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

pub(crate) use cluster::Sandbox;
pub(crate) use dns::PACKAGE as DNS;
pub(crate) use second::Second;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Use `kind` and a container engine instead of the cluster built here.
    #[arg(long, global = true)]
    kind: bool,
    /// Which cluster of this machine: 1 to 10 lower-case letters and digits. Several can be up at once [default: TOWLINE_SANDBOX_NAME, else `node`].
    #[arg(long, global = true, conflicts_with = "kind")]
    name: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the cluster, if it is not up, and print the kubeconfig's path.
    Up {
        /// Do not build or start the cluster's DNS server.
        #[arg(long)]
        without_dns: bool,
        /// The domain of the services' names, for a cluster that is not up yet.
        #[arg(long, value_name = "DOMAIN")]
        cluster_domain: Option<String>,
    },
    /// Stop the cluster and remove every trace of it but the cached binaries and images.
    Down {
        /// Only when standard input ends: whoever holds its other end needs the cluster until then, and may be killed.
        #[arg(long, hide = true)]
        at_end_of_input: bool,
    },
    /// Tell what runs. Exit status 1 when the cluster is not up.
    Status,
    /// Load image archives into the cluster.
    LoadImage {
        /// Archives as `docker save` writes them.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print the kubeconfig's path.
    Kubeconfig,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.kind {
        return run_kind(&arguments.command);
    }
    let mut sandbox = Sandbox::from_environment()?;
    if let Some(name) = &arguments.name {
        sandbox = sandbox.called(name)?;
    }
    match &arguments.command {
        Command::Up { without_dns, cluster_domain } => {
            if let Some(domain) = cluster_domain {
                sandbox = sandbox.with_domain(domain)?;
            }
            let dns = if *without_dns { up::Dns::Without } else { up::Dns::With };
            up::up(&sandbox, dns)?;
            println!("{}", sandbox.kubeconfig().display());
        }
        Command::Down { at_end_of_input } => {
            if *at_end_of_input {
                io::copy(&mut io::stdin(), &mut io::sink())?;
            }
            down::down(&sandbox)?;
        }
        Command::Status => return status(&sandbox),
        Command::LoadImage { files } => {
            up::require_root()?;
            images::load(&sandbox, files)?;
        }
        Command::Kubeconfig => println!("{}", sandbox.kubeconfig().display()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the cluster is up.
pub(crate) fn is_up() -> Result<bool> {
    up::is_up(&Sandbox::from_environment()?)
}

/// Starts the cluster, if it is not up, with its DNS.
pub(crate) fn up() -> Result<Sandbox> {
    let sandbox = Sandbox::from_environment()?;
    up::up(&sandbox, up::Dns::With)?;
    Ok(sandbox)
}

/// As [`up`], with a DNS server that is built already.
pub(crate) fn up_with(dns: &Path) -> Result<Sandbox> {
    let sandbox = Sandbox::from_environment()?;
    up::up(&sandbox, up::Dns::By(dns))?;
    Ok(sandbox)
}

/// Stops the cluster and removes every trace of it but what is cached.
pub(crate) fn down(sandbox: &Sandbox) -> Result<()> {
    down::down(sandbox)
}

/// Loads image archives into the cluster.
pub(crate) fn load_images(sandbox: &Sandbox, files: &[PathBuf]) -> Result<()> {
    images::load(sandbox, files)
}

fn run_kind(command: &Command) -> Result<ExitCode> {
    match command {
        Command::Up { .. } => println!("{}", kind::up()?.display()),
        Command::Down { .. } => kind::down()?,
        Command::Status => kind::status()?,
        Command::LoadImage { files } => kind::load(files)?,
        Command::Kubeconfig => println!("{}", kind::kubeconfig()?.display()),
    }
    Ok(ExitCode::SUCCESS)
}

fn status(sandbox: &Sandbox) -> Result<ExitCode> {
    up::require_root()?;
    let Some(node) = sandbox.node()? else {
        println!("down");
        return Ok(ExitCode::FAILURE);
    };
    println!("kubeconfig   {}", sandbox.kubeconfig().display());
    println!("network      {} (nsenter --net={})", sandbox.name(), sandbox.namespace().display());
    let processes = sandbox.processes()?;
    let mut missing = Vec::new();
    for component in sandbox.components() {
        match processes.iter().find(|process| process.runs(&component)) {
            Some(process) => println!(
                "{:<24} process {:<8} {}",
                component.name,
                process.id(),
                sandbox.log(component.name).display()
            ),
            None => {
                println!("{:<24} not running", component.name);
                missing.push(component.name);
            }
        }
    }
    println!("{:<24} process {node}, {} processes in its network", "node", processes.len());
    let api = sandbox
        .kubectl()
        .args(["get", "nodes", "--no-headers", "--request-timeout=5s"])
        .output()?;
    print!("{}", String::from_utf8_lossy(&api.stdout));
    if !api.status.success() {
        bail!("the API server does not answer: {}", String::from_utf8_lossy(&api.stderr).trim());
    }
    if missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("broken: {} not running; `cargo xtask sandbox up` mends it", missing.join(", "));
    Ok(ExitCode::FAILURE)
}
