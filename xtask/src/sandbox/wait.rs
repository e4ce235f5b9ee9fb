//! Waiting for a condition, with a limit and a reason.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::Sandbox;

/// How often a condition is looked at.
const INTERVAL: Duration = Duration::from_millis(50);
/// How much of a failing component's log an error shows.
const LINES: usize = 15;

/// A component of the cluster that this run has started.
#[derive(Debug)]
pub(super) struct Daemon {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts a program on the node, in a session of its own, so that it survives us.
    pub(super) fn start(sandbox: &Sandbox, name: &'static str, command: &[String]) -> Result<Self> {
        let Some(node) = sandbox.node()? else {
            bail!("cannot start {name}: the node is not running");
        };
        let log = sandbox.log(name);
        let output = fs::File::create(&log).with_context(|| format!("create {}", log.display()))?;
        let child = Command::new("setsid")
            .args(["nsenter", "--target", &node.to_string()])
            .args(["--net", "--mount", "--pid", "--"])
            .args(command)
            // The node is a machine of its own: it knows nothing of this shell's proxies, tokens and kubeconfigs.
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .current_dir("/")
            .spawn()
            .with_context(|| format!("start {name}"))?;
        Ok(Self { name, child, log })
    }

    fn last_lines(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        let last = &lines[lines.len().saturating_sub(LINES)..];
        format!("the end of {}:\n    {}", self.log.display(), last.join("\n    "))
    }
}

/// Looks again and again until `condition` gives a value.
///
/// # Errors
///
/// When `limit` has passed, or the daemon has ended, with the last lines of its log; or when the condition itself fails.
pub(super) fn until<T>(
    what: &str,
    limit: Duration,
    mut daemon: Option<&mut Daemon>,
    mut condition: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if let Some(daemon) = &mut daemon
            && let Some(status) = daemon.child.try_wait()?
        {
            bail!("{} ended with {status} before {what}; {}", daemon.name, daemon.last_lines());
        }
        if start.elapsed() > limit {
            let log =
                daemon.map_or_else(String::new, |daemon| format!("; {}", daemon.last_lines()));
            bail!("not so after {} s: {what}{log}", limit.as_secs());
        }
        thread::sleep(INTERVAL);
    }
}
