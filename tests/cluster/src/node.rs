//! Callers inside the cluster: programs in the node's network namespace reach pods and services as pods do. The developer's side cannot.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::{Child, Command};

use crate::{eventually, setting};

/// A command that runs in the node's network.
///
/// # Errors
/// When the harness is not set up.
pub fn command(program: &str, arguments: &[&str]) -> Result<Command> {
    Ok(enter(&setting("TOWLINE_SANDBOX_NETNS")?, program, arguments))
}

/// A command that runs in the network namespace `netns`.
pub fn enter(netns: &str, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("nsenter");
    command
        .arg(format!("--net=/run/netns/{netns}"))
        .args(["--", program])
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs a Python program in the node's network and gives what it printed.
///
/// # Errors
/// When it fails, with what it wrote on standard error.
pub async fn python(program: &str, arguments: &[&str]) -> Result<String> {
    let mut all = vec!["-u", "-c", program];
    all.extend(arguments);
    let output = command("python3", &all)?.output().await.context("running python3 on the node")?;
    ensure!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Starts a Python program in the node's network, its output piped.
///
/// # Errors
/// When it cannot be started.
pub fn python_spawn(program: &str, arguments: &[&str]) -> Result<Child> {
    let mut all = vec!["-u", "-c", program];
    all.extend(arguments);
    Ok(command("python3", &all)?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?)
}

/// An HTTP GET from inside the cluster, at most 10 s.
///
/// # Errors
/// When there is no answer, or a status other than 2xx.
pub async fn get(url: &str) -> Result<String> {
    let arguments = ["--silent", "--show-error", "--fail", "--max-time", "10", url];
    let output = command("curl", &arguments)?.output().await.context("running curl on the node")?;
    ensure!(
        output.status.success(),
        "GET {url}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Asks from inside the cluster until the answer is `expected`.
///
/// # Errors
/// When it does not come to that.
pub async fn answers(url: &str, expected: &str) -> Result<()> {
    answers_like(url, |answer| answer == expected)
        .await
        .with_context(|| format!("expected '{expected}'"))
}

/// Asks from inside the cluster until the answer is as `wanted`.
///
/// # Errors
/// When it does not come to that, with the last answer.
pub async fn answers_like(url: &str, wanted: impl Fn(&str) -> bool) -> Result<()> {
    let wanted = &wanted;
    eventually(&format!("GET {url} from the cluster"), || async move {
        let answer = get(url).await?;
        ensure!(wanted(&answer), "answered by '{answer}'");
        Ok(Some(()))
    })
    .await
}
