//! A second cluster beside the first, for as long as some tests need it.

use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::{Sandbox, dns, up};

/// Its name.
const NAME: &str = "second";
/// Its domain, which is not the usual one.
const DOMAIN: &str = "corp.example";

/// Up until this is dropped, or this process is gone in whatever way: a process of its own waits for that and takes it down.
#[derive(Debug)]
pub(crate) struct Second {
    sandbox: Sandbox,
    guard: Child,
    /// Held so that another run waits for this one's end, and does not use a cluster that is about to go.
    _lock: fs::File,
}

impl Second {
    /// Starts it, beside `first` and with the same DNS server.
    pub(crate) fn up(first: &Sandbox) -> Result<Self> {
        let sandbox = first.called(NAME)?.with_domain(DOMAIN)?;
        let lock = fs::File::create(first.cache().join("second.lock"))?;
        lock.lock().context("wait for another run with a second cluster")?;
        let guard = Command::new(std::env::current_exe()?)
            .args(["sandbox", "--name", NAME, "down", "--at-end-of-input"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C in the terminal ends the run, and is not to end this.
            .process_group(0)
            .spawn()
            .context("start what takes the second cluster down")?;
        let second = Self { sandbox, guard, _lock: lock };
        up::up(&second.sandbox, up::Dns::By(&dns::component(first).program))?;
        Ok(second)
    }

    /// Where its things are.
    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Tells `command` where it is; `tests/cluster/tests/all/two_clusters.rs` reads it.
    pub(crate) fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("TOWLINE_TEST_SECOND_KUBECONFIG", self.sandbox.kubeconfig())
            .env("TOWLINE_TEST_SECOND_DOMAIN", self.sandbox.domain())
    }

    /// Takes it down.
    pub(crate) fn down(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        drop(self.guard.stdin.take());
        let status = self.guard.wait().context("wait until the second cluster is down")?;
        if !status.success() {
            bail!(
                "the second cluster is not down; `cargo xtask sandbox --name {NAME} down` tells why"
            );
        }
        Ok(())
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        // After `down` there is nobody to wait for any more, and the answer is the same.
        if let Err(error) = self.end() {
            eprintln!("error: {error:#}");
        }
    }
}
