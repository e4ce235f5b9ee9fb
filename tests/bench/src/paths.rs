//! The ways to a server: none (inside the node), `kubectl port-forward`, Towline outbound, Towline inbound.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::{eventually, node};

use crate::call;
use crate::figures::Figures;

/// Calls from inside the cluster.
pub(crate) async fn from_node(server: SocketAddr) -> Result<Figures> {
    let program = std::env::current_exe()?;
    let program = program.to_str().context("a path that is text")?;
    let output = node::command(program, &["call", &server.to_string()])?.output().await?;
    ensure!(
        output.status.success(),
        "calling {server}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Calls from this machine.
pub(crate) async fn from_here(server: SocketAddr) -> Result<Figures> {
    call::measure(server).await.with_context(|| format!("calling {server}"))
}

/// A running `kubectl port-forward`; ended when dropped.
pub(crate) struct PortForward {
    _child: Child,
    /// Where it listens.
    pub(crate) local: SocketAddr,
}

impl PortForward {
    /// Forwards to a pod's port.
    pub(crate) async fn open(namespace: &Namespace, pod: &str, port: u16) -> Result<Self> {
        let mut child = Command::new("kubectl")
            .args(["--kubeconfig", &namespace.kubeconfig()?, "-n", &namespace.name])
            .args([
                "port-forward",
                "--address",
                "127.0.0.1",
                &format!("pod/{pod}"),
                &format!(":{port}"),
            ])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("standard output")?).lines();
        let line = lines.next_line().await?.context("kubectl port-forward said nothing")?;
        // "Forwarding from 127.0.0.1:41234 -> 7000", and then a line a connection, which must be read away.
        let local = line.split_whitespace().nth(2).context("an address")?.parse()?;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        eventually("kubectl port-forward", || async {
            Ok(tokio::net::TcpStream::connect(local).await.ok())
        })
        .await?;
        Ok(Self { _child: child, local })
    }
}
