//! The developer's side: a local program that answers, free ports, the environment as programs get it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::JoinHandle;

/// A local HTTP server that gives the same answer to every request. Stopped when dropped.
pub struct Answering {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Answering {
    /// Starts one.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start(address: impl Into<SocketAddr>, answer: &'static str) -> Result<Self> {
        let address = address.into();
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(respond(connection, answer));
            }
        });
        Ok(Self { address, task })
    }

    /// One on any free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is none.
    pub async fn anywhere(answer: &'static str) -> Result<Self> {
        Self::start((Ipv4Addr::LOCALHOST, 0), answer).await
    }

    /// The `--port` argument that maps `remote` to it.
    pub fn mapped(&self, remote: impl std::fmt::Display) -> String {
        format!("{remote}:{}", self.address.port())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(mut connection: TcpStream, answer: &str) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if connection.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let length = answer.len();
    let response =
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{answer}");
    connection.write_all(response.as_bytes()).await?;
    connection.shutdown().await
}

/// A port that is free on 127.0.0.1 and on [::1], outside of the range that the system gives away by itself.
///
/// # Errors
/// When there is none.
pub async fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let port = rand::random_range(20_000..30_000);
        let both = [
            SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
        ];
        if TcpListener::bind(both[0]).await.is_ok() && TcpListener::bind(both[1]).await.is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port between 20000 and 30000")
}

/// An environment as a process has it: `NAME=VALUE`, each ended by a zero byte.
///
/// # Errors
/// When an entry has no name.
pub fn parse_environ(bytes: &[u8]) -> Result<BTreeMap<OsString, OsString>> {
    let entries = bytes.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    entries
        .map(|entry| {
            let equals =
                entry.iter().position(|byte| *byte == b'=').context("an entry without '='")?;
            let (name, value) = (entry[..equals].to_vec(), entry[equals + 1..].to_vec());
            Ok((OsString::from_vec(name), OsString::from_vec(value)))
        })
        .collect()
}

/// What `sh` makes of an env file: the variables that it sets.
///
/// # Errors
/// When `sh` does not take it.
pub async fn source(env_file: &Path) -> Result<BTreeMap<OsString, OsString>> {
    // An own environment for the shell, so that everything else comes from the file; `env` by its path, as PATH may be in the file too.
    let script = r#"set -ae; . "$0"; exec /usr/bin/env -0"#;
    let output =
        Command::new("/bin/sh").args(["-c", script]).arg(env_file).env_clear().output().await?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() && stderr.is_empty(),
        "sh reading {}: {stderr}",
        env_file.display()
    );
    let mut variables = parse_environ(&output.stdout)?;
    variables.remove(&OsString::from("PWD"));
    Ok(variables)
}
