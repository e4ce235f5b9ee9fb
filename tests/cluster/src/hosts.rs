//! A machine with a hosts file of its own: a private mount namespace, so that neither this machine's hosts file nor a helper of its user is touched.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::machine::Machine;
use crate::namespace::Namespace;
use crate::setting;
use crate::towline::Connected;

/// What stands in the hosts file of such a machine before a session.
pub const BEFORE: &str = "127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n# kept as it is,\twith its blanks  \n10.1.2.3 printer\n";

/// Needs root. Gone, with all that was mounted, when dropped.
pub struct OwnHosts {
    /// Holds the mount namespace until its standard input is closed.
    holder: Child,
    directory: tempfile::TempDir,
    /// The network namespace that its programs are in, where that is not this machine's.
    netns: Option<String>,
}

impl OwnHosts {
    /// Sets one up whose hosts file holds `content`.
    ///
    /// # Errors
    /// When that is not possible.
    pub async fn with(content: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("hosts");
        std::fs::write(&file, content)?;
        // The helper's socket is below /run; its temporary files are in /etc, where helpers of other such machines would take them for a killed one's.
        let script = r#"mount -t tmpfs tmpfs /run && mkdir /run/.etc /run/.work &&
            mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/.etc,workdir=/run/.work /etc &&
            mount --bind "$0" /etc/hosts && echo ready && exec cat"#;
        let mut holder = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", script])
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting unshare")?;
        let stdout = holder.stdout.take().context("standard output")?;
        let line = BufReader::new(stdout).lines().next_line().await?;
        ensure!(line.as_deref() == Some("ready"), "no mount namespace of its own; is this root?");
        Ok(Self { holder, directory, netns: None })
    }

    /// One with [`BEFORE`] in it.
    ///
    /// # Errors
    /// When that is not possible.
    pub async fn new() -> Result<Self> {
        Self::with(BEFORE).await
    }

    /// One with [`BEFORE`] in it whose programs have the network of `machine`.
    ///
    /// # Errors
    /// When that is not possible.
    pub async fn on(machine: &Machine) -> Result<Self> {
        Ok(Self { netns: Some(machine.netns().to_owned()), ..Self::new().await? })
    }

    /// What its hosts file holds now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn content(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.path())?)
    }

    /// Where its hosts file is on the machine outside.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("hosts")
    }

    /// A command on it.
    ///
    /// # Errors
    /// When the machine is gone.
    pub fn command(&self, program: impl AsRef<Path>) -> Result<Command> {
        let id = self.holder.id().context("the machine is gone")?;
        let mut command = Command::new("nsenter");
        command
            .args(self.netns.iter().map(|netns| format!("--net=/run/netns/{netns}")))
            .arg(format!("--mount=/proc/{id}/ns/mnt"))
            .arg("--")
            .arg(program.as_ref())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        Ok(command)
    }

    /// `towline ARGUMENTS` on it, with the namespace's settings.
    ///
    /// # Errors
    /// When the harness is not set up.
    pub fn towline(&self, namespace: &Namespace, arguments: &[&str]) -> Result<Command> {
        let mut command = self.command(setting("TOWLINE_TEST_CLI")?)?;
        command.args(arguments);
        namespace.surroundings(&mut command)?;
        Ok(command)
    }

    /// Starts `towline connect --hosts ARGUMENTS -n NAMESPACE -o json [-- COMMAND]` on it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn connect(
        &self,
        namespace: &Namespace,
        arguments: &[&str],
        command: &[&str],
    ) -> Result<Connected> {
        let mut all = vec!["--hosts"];
        all.extend(arguments);
        Connected::start(self.towline(namespace, &namespace.connect_arguments(&all, command))?)
    }

    /// Runs a Python program on it and gives what it printed.
    ///
    /// # Errors
    /// When it fails, with what it wrote on standard error.
    pub async fn python(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let mut command = self.command("python3")?;
        let output = command.args(["-c", program]).args(arguments).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {said}", output.status);
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// The addresses that programs on it find for a name, by libc; none where it is not found.
    ///
    /// # Errors
    /// When Python does not run.
    pub async fn look_up(&self, name: &str) -> Result<Vec<String>> {
        const PROGRAM: &str = r#"
import socket, sys
try:
    found = socket.getaddrinfo(sys.argv[1], None, type=socket.SOCK_STREAM)
except socket.gaierror:
    found = []
print(" ".join(entry[4][0] for entry in found))
"#;
        let found = self.python(PROGRAM, &[name]).await?;
        Ok(found.split_whitespace().map(str::to_owned).collect())
    }

    /// The body of an HTTP GET by a program on it, at most 10 s.
    ///
    /// # Errors
    /// When there is no answer, or a status other than 2xx.
    pub async fn get(&self, url: &str) -> Result<String> {
        let mut command = self.command("curl")?;
        command.args([
            "--silent",
            "--show-error",
            "--fail",
            "--noproxy",
            "*",
            "--max-time",
            "10",
            url,
        ]);
        let output = command.output().await?;
        ensure!(
            output.status.success(),
            "GET {url}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
