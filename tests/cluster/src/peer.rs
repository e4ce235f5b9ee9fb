//! Two programs that talk to each other over what is under test: `peer.py` serves, one behaviour a port; `caller.py` calls and tells what it saw.
//!
//! Inbound, the peer runs here and the caller in the cluster; outbound, the other way round. So both directions are held to the same rules.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{LIMIT, app::IMAGE, node};

/// The server, as a program for `python3 -c`.
pub const PEER: &str = include_str!("programs/peer.py");
const CALLER: &str = include_str!("programs/caller.py");

/// The modes of `peer.py` that the rules of [`crate::carry`] need, with the ports that they have in a pod.
pub const MODES: [(&str, u16); 8] = [
    ("banner", 7001),
    ("digest", 7002),
    ("source", 7003),
    ("reset", 7004),
    ("fate", 7005),
    ("told", 7006),
    ("echo", 7007),
    ("websocket", 7008),
];

/// A peer on this machine. Killed when dropped.
pub struct Peer {
    _child: Child,
    ports: BTreeMap<String, u16>,
}

impl Peer {
    /// Starts one on `address`, each mode on the port given (0: any free one), with these variables in its environment.
    ///
    /// # Errors
    /// When it does not listen.
    pub async fn start(
        address: &str,
        modes: &[(&str, u16)],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let modes = modes.iter().map(|(mode, port)| format!("{mode}={port}"));
        let mut child = Command::new("python3")
            .args(["-u", "-c", PEER, address])
            .args(modes)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().context("standard output")?;
        let mut line = String::new();
        tokio::time::timeout(LIMIT, BufReader::new(stdout).read_line(&mut line))
            .await
            .context("the peer does not start")??;
        let ports = serde_json::from_str(&line)
            .with_context(|| format!("the peer's first line: {line:?}"))?;
        Ok(Self { _child: child, ports })
    }

    /// The port of a mode.
    ///
    /// # Panics
    /// When it was not started with that mode.
    pub fn port(&self, mode: &str) -> u16 {
        self.ports[mode]
    }
}

/// A container `name` that runs `peer.py` in these modes, with those ports declared, each named like its mode.
pub fn container(name: &str, modes: &[(&str, u16)]) -> Value {
    let mut command =
        vec!["python3".to_owned(), "-u".into(), "-c".into(), PEER.into(), "0.0.0.0".into()];
    command.extend(modes.iter().map(|(mode, port)| format!("{mode}={port}")));
    let ports: Vec<Value> =
        modes.iter().map(|(mode, port)| json!({"name": mode, "containerPort": port})).collect();
    json!({
        "name": name, "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": command, "ports": ports,
        "readinessProbe": {"tcpSocket": {"port": ports[0]["containerPort"]}, "periodSeconds": 1},
    })
}

/// Where a caller runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In the node's network, as pods do.
    Cluster,
    /// On the developer's machine.
    Here,
}

/// Runs `caller.py` against one port and gives what it tells.
///
/// # Errors
/// When it fails, with its traceback.
pub async fn call(
    side: Side,
    host: &str,
    port: u16,
    mode: &str,
    arguments: &[String],
) -> Result<Value> {
    let port = port.to_string();
    let mut all = vec!["-u", "-c", CALLER, host, &port, mode];
    all.extend(arguments.iter().map(String::as_str));
    let mut command = match side {
        Side::Cluster => node::command("python3", &all)?,
        Side::Here => {
            let mut command = Command::new("python3");
            command.args(&all).stdin(Stdio::null()).kill_on_drop(true);
            command
        }
    };
    let limit = LIMIT + Duration::from_secs(60);
    let output = tokio::time::timeout(limit, command.output())
        .await
        .with_context(|| format!("{mode}: no end in sight"))??;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{mode} to {host}:{port} from {side:?}: {stderr}");
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{mode}: {}", String::from_utf8_lossy(&output.stdout)))
}
