//! `towline` as a user runs it, with its events read from standard output.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::{LIMIT, namespace::Namespace, setting};

/// A `towline` that ran to its end.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A running `towline connect -o json`. Killed (SIGKILL) when dropped.
pub struct Connected {
    child: Child,
    events: mpsc::UnboundedReceiver<Value>,
    seen: Vec<Value>,
    stderr: Arc<Mutex<String>>,
}

impl Namespace {
    /// `towline` with these arguments, this cluster and this namespace as the context's.
    ///
    /// # Errors
    /// When the harness is not set up.
    pub fn towline(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(setting("TOWLINE_TEST_CLI")?);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        self.surroundings(&mut command)?;
        Ok(command)
    }

    /// Gives a command the environment that `towline` runs in: this cluster, and directories of its own.
    ///
    /// # Errors
    /// When the harness is not set up.
    pub fn surroundings(&self, command: &mut Command) -> Result<()> {
        command.env("KUBECONFIG", self.kubeconfig()?).env("NO_COLOR", "1");
        for directory in ["XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"] {
            command.env(directory, self.home.path());
        }
        Ok(())
    }

    /// Runs `towline ARGUMENTS` to its end.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn run(&self, arguments: &[&str]) -> Result<Finished> {
        run(self.towline(arguments)?).await
    }

    /// Starts `towline connect ARGUMENTS -n NAMESPACE -o json [-- COMMAND]`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn connect(&self, arguments: &[&str], command: &[&str]) -> Result<Connected> {
        Connected::start(self.towline(&self.connect_arguments(arguments, command))?)
    }

    /// Runs `towline connect ARGUMENTS -n NAMESPACE -o json [-- COMMAND]` to its end.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn connect_and_finish(
        &self,
        arguments: &[&str],
        command: &[&str],
    ) -> Result<Finished> {
        self.run(&self.connect_arguments(arguments, command)).await
    }

    /// The arguments of `towline` that connect to something in this namespace, with events as JSON.
    pub fn connect_arguments<'a>(
        &'a self,
        arguments: &[&'a str],
        command: &[&'a str],
    ) -> Vec<&'a str> {
        let mut all = vec!["connect", "-n", &self.name, "-o", "json"];
        all.extend(arguments);
        if !command.is_empty() {
            all.push("--");
            all.extend(command);
        }
        all
    }
}

/// Runs a command to its end, at most [`LIMIT`].
///
/// # Errors
/// When it does not end in time.
pub async fn run(mut command: Command) -> Result<Finished> {
    let output =
        tokio::time::timeout(LIMIT, command.output()).await.context("it did not end in time")??;
    Ok(Finished {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

impl Connected {
    /// Starts a command that prints one event a line.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("standard output")?;
        let mut stderr = child.stderr.take().context("standard error")?;
        let (send, events) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if send.send(event).is_err() {
                    return;
                }
            }
        });
        let text = Arc::new(Mutex::new(String::new()));
        let kept = text.clone();
        tokio::spawn(async move {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = stderr.read(&mut bytes).await {
                if let Ok(mut text) = kept.lock() {
                    text.push_str(&String::from_utf8_lossy(&bytes[..read]));
                }
            }
        });
        Ok(Self { child, events, seen: Vec::new(), stderr: text })
    }

    /// Waits for the next event named `name`, at most [`LIMIT`]; events before it are passed over.
    ///
    /// # Errors
    /// When the program ends first, or the time passes.
    pub async fn event(&mut self, name: &str) -> Result<Value> {
        let find = async {
            while let Some(event) = self.events.recv().await {
                self.seen.push(event.clone());
                if event["event"] == name {
                    return Some(event);
                }
            }
            None
        };
        let found = tokio::time::timeout(LIMIT, find).await;
        match found {
            Ok(Some(event)) => Ok(event),
            Ok(None) => bail!("towline ended without the event '{name}'\n{}", self.told()),
            Err(_) => bail!("no event '{name}' within {} s\n{}", LIMIT.as_secs(), self.told()),
        }
    }

    /// The address of this machine that stands for a service's port, once it does. `service` is `name.namespace`, `protocol` as Kubernetes says it.
    ///
    /// # Errors
    /// When the program ends first, the time passes, or the address is not of this machine alone.
    pub async fn listener(
        &mut self,
        service: &str,
        port: u16,
        protocol: &str,
    ) -> Result<SocketAddr> {
        let is_it = |event: &Value| {
            let spoken = event["protocol"].as_str().unwrap_or("TCP");
            event["service"] == service && event["port"] == port && spoken == protocol
        };
        let added = self.find("service_added", is_it).await?;
        let local: SocketAddr = added["local"].as_str().context("an address")?.parse()?;
        ensure!(local.ip().is_loopback(), "{local} is not of this machine alone");
        Ok(local)
    }

    /// The first event named `name` that `wanted` likes, among those so far and those to come, at most [`LIMIT`].
    ///
    /// # Errors
    /// When the program ends first, or the time passes.
    pub async fn find(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        if let Some(event) =
            self.seen().iter().find(|event| event["event"] == name && wanted(event))
        {
            return Ok(event.clone());
        }
        loop {
            let event = self.event(name).await?;
            if wanted(&event) {
                return Ok(event);
            }
        }
    }

    /// Waits for the beginning of the step `name`, as [`Connected::event`] does.
    ///
    /// # Errors
    /// When the program ends first, or the time passes.
    pub async fn step(&mut self, name: &str) -> Result<()> {
        while self.event("step").await?["step"] != name {}
        Ok(())
    }

    /// Waits for the last event, then the end: how the session ended (`stopped`, `overwritten`, …), and the exit status.
    ///
    /// # Errors
    /// When the program ends without saying how, or not at all.
    pub async fn outcome(&mut self) -> Result<(String, ExitStatus)> {
        let ended = self.event("ended").await?;
        let end = ended["end"]["end"]
            .as_str()
            .with_context(|| format!("not an end: {ended}"))?
            .to_owned();
        Ok((end, self.end().await?))
    }

    /// The last events, and what stands on standard error: for messages.
    pub fn told(&self) -> String {
        let last: VecDeque<String> =
            self.seen.iter().rev().take(12).rev().map(Value::to_string).collect();
        format!("events:\n{}\nstderr:\n{}", Vec::from(last).join("\n"), self.stderr())
    }

    /// The events so far, those passed over included.
    pub fn seen(&mut self) -> &[Value] {
        while let Ok(event) = self.events.try_recv() {
            self.seen.push(event);
        }
        &self.seen
    }

    /// What was written on standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().map(|text| text.clone()).unwrap_or_default()
    }

    /// Sends a signal (`INT`, `TERM`, `KILL`, `STOP`, …).
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&self, name: &str) -> Result<()> {
        let id = self.id()?;
        let status =
            std::process::Command::new("kill").args(["-s", name, &id.to_string()]).status()?;
        ensure!(status.success(), "kill -s {name} {id}: {status}");
        Ok(())
    }

    /// The process's id.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn id(&self) -> Result<u32> {
        self.child.id().context("towline has ended already")
    }

    /// How many file descriptors it has open.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn open_files(&self) -> Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.id()?))?.count())
    }

    /// The most memory that it has had so far, in KiB.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn most_memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Waits for the end, at most [`LIMIT`].
    ///
    /// # Errors
    /// When it does not come.
    pub async fn end(&mut self) -> Result<ExitStatus> {
        match tokio::time::timeout(LIMIT, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => bail!("towline did not end within {} s\n{}", LIMIT.as_secs(), self.told()),
        }
    }

    /// Ctrl-C, then the end; the session must have been restored.
    ///
    /// # Errors
    /// When it does not end, or not by `restored`.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.signal("INT")?;
        self.event("restored").await?;
        self.end().await
    }
}
