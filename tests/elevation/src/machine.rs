//! The machine, and what runs on it.

mod services;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use towline_machine::hosts_file::HostsFile;

use crate::{Kind, Polkit, Program, first_line, until};

/// The machine.
pub struct Machine {
    directory: tempfile::TempDir,
    kind: Kind,
    /// Everything else ends with it.
    first: Child,
    services: Vec<Child>,
}

impl Machine {
    /// Brings it up, and waits until its services answer.
    ///
    /// # Errors
    ///
    /// When something is missing, with what.
    pub fn new(kind: Kind, polkit: Polkit) -> Result<Self> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "these tests make namespaces and users: they need root"
        );
        let directory = tempfile::Builder::new()
            .prefix("towline-elevation-")
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()?;
        let mut first = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--"])
            .args(["sh", "-c", include_str!("machine/set-up.sh"), "set-up"])
            .arg(directory.path())
            .arg(format!("{kind:?}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("run unshare")?;
        let line = first_line(&mut first)?;
        let mut machine = Self { directory, kind, first, services: Vec::new() };
        ensure!(line == "ready", "the namespaces were not set up");
        machine.install()?;
        if polkit != Polkit::Absent {
            machine.start_polkit(polkit)?;
        }
        Ok(machine)
    }

    fn bin(&self) -> PathBuf {
        self.directory.path().join("bin")
    }

    /// A command that will run on the machine, as root.
    pub fn inside(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        let first = self.first.id();
        command
            .arg(format!("--target={first}"))
            .args(["--mount", "--net"])
            .arg(format!("--pid=/proc/{first}/ns/pid_for_children"))
            .arg("--")
            .arg(program);
        command
    }

    /// Runs a program on the machine to its end.
    ///
    /// # Errors
    ///
    /// When it cannot be run.
    pub fn output(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        self.inside(program).args(arguments).stdin(Stdio::null()).output().context("run nsenter")
    }

    /// What a program prints, without the end of the last line.
    ///
    /// # Errors
    ///
    /// When it fails, with what it said.
    pub fn read(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let output = self.output(program, arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program} {arguments:?}: {} {said}", output.status);
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// Sends a signal, by its name, to a process by its number on the machine.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn signal(&self, name: &str, pid: u32) -> Result<()> {
        self.read("kill", &[&format!("-{name}"), "--", &pid.to_string()]).map(drop)
    }

    /// Starts the program that speaks with the helper, as a user of the machine.
    ///
    /// # Errors
    ///
    /// When it cannot be run.
    pub fn program(&self, uid: u32) -> Result<Program> {
        let (first, rest) = self.words(uid);
        let mut command = self.inside(first);
        command.args(rest);
        Program::start(command)
    }

    /// What starts the program as a user.
    fn words(&self, uid: u32) -> (&'static str, Vec<String>) {
        let program = self.bin().join("towline-elevation-probe").display().to_string();
        let user = format!("--reuid {uid} --regid {uid} --clear-groups");
        let environment = "env -i HOME=/ PATH=/usr/bin:/bin:/usr/sbin:/sbin LC_ALL=C";
        let words = format!("{user} {environment} {program}");
        ("setpriv", words.split(' ').map(str::to_owned).collect())
    }

    /// Where the machine's hosts file is, seen from outside.
    pub fn hosts_path(&self) -> PathBuf {
        self.directory.path().join("etc/hosts")
    }

    /// The machine's hosts file.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn hosts(&self) -> Result<String> {
        match self.kind {
            Kind::File => Ok(fs::read_to_string(self.hosts_path())?),
            Kind::Mount | Kind::MountOnSmallDisk => Ok(self.read("cat", &["/etc/hosts"])? + "\n"),
        }
    }

    /// The number of the helper that wrote this session's lines.
    ///
    /// # Errors
    ///
    /// When there are none.
    pub fn helper_of(&self, session: &str) -> Result<u32> {
        let file = HostsFile::parse(self.hosts()?.as_bytes());
        let block = file.blocks.iter().find(|block| block.session.as_str() == session);
        let owner = block.and_then(|block| block.owner.as_ref()).context("no such block")?;
        Ok(owner.helper.pid)
    }

    /// Waits until the hosts file is this.
    ///
    /// # Errors
    ///
    /// When it does not become so.
    pub fn until_hosts(&self, content: &str) -> Result<()> {
        until("the hosts file is as it was", || Ok(self.hosts()? == content))
    }

    /// Waits until there is nothing at this path.
    ///
    /// # Errors
    ///
    /// When it does not go.
    pub fn until_gone(&self, path: &str) -> Result<()> {
        until(&format!("{path} is gone"), || {
            Ok(!self.output("test", &["-e", path])?.status.success())
        })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // With the first process, the kernel ends all others of its namespace.
        let _ = self.first.kill();
        let _ = self.first.wait();
        for service in &mut self.services {
            let _ = service.wait();
        }
    }
}
