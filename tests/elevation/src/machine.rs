//! The machine, and what runs on it.

mod services;
mod systemd;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use towline_machine::hosts_file::HostsFile;

pub use self::systemd::Systemd;
use crate::{Kind, Polkit, Program, first_line, own_directory, until};

/// How the directories begin.
const PREFIX: &str = "towline-elevation-";

/// The programs that the tests of the helper run, below the directory that Cargo puts programs in.
const PROGRAMS: [&str; 2] = ["towline-helper", "towline-elevation-probe"];

/// The machine.
pub struct Machine {
    directory: tempfile::TempDir,
    kind: Kind,
    /// Everything else ends with it.
    first: Child,
    services: Vec<Child>,
}

impl Machine {
    /// Brings it up with the helper and the tests' own program, and waits until its services answer. Its network leads nowhere.
    ///
    /// # Errors
    ///
    /// When something is missing, with what.
    pub fn new(kind: Kind, polkit: Polkit) -> Result<Self> {
        let mut machine = Self::bare(kind, None)?;
        machine.install_ours()?;
        machine.start_polkit(polkit)?;
        Ok(machine)
    }

    /// One with none of our programs on it, in the network namespace `network`; its hosts file is a file. Waits until its services answer.
    ///
    /// # Errors
    ///
    /// When something is missing, with what.
    pub fn on_network(network: &Path, polkit: Polkit) -> Result<Self> {
        let mut machine = Self::bare(Kind::File, Some(network))?;
        machine.start_polkit(polkit)?;
        Ok(machine)
    }

    fn bare(kind: Kind, network: Option<&Path>) -> Result<Self> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "these tests make namespaces and users: they need root"
        );
        // What ran on a machine has ended with its test.
        let directory = own_directory(PREFIX, |_| ())?;
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
        let mut unshare = match network {
            None => Command::new("unshare"),
            Some(network) => {
                let mut nsenter = Command::new("nsenter");
                nsenter.arg(format!("--net={}", network.display())).args(["--", "unshare"]);
                nsenter
            }
        };
        let mut first = unshare
            .args(network.is_none().then_some("--net"))
            .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"])
            .args(["sh", "-c", include_str!("machine/set-up.sh"), "set-up"])
            .arg(directory.path())
            .arg(format!("{kind:?}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("run unshare")?;
        let line = first_line(&mut first)?;
        let machine = Self { directory, kind, first, services: Vec::new() };
        ensure!(line == "ready", "the namespaces were not set up");
        fs::create_dir(machine.bin())?;
        Ok(machine)
    }

    /// The helper, and the tests' own program.
    fn install_ours(&self) -> Result<()> {
        let own = std::env::current_exe()?;
        let built = own.ancestors().nth(2).context("tests are below the directory of programs")?;
        for name in PROGRAMS {
            self.install(&built.join(name)).context("`cargo xtask test elevation` builds it")?;
        }
        Ok(())
    }

    /// Where every user finds our programs: side by side, as they are installed.
    pub fn bin(&self) -> PathBuf {
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

    /// A command that will run on the machine, as one of its users.
    pub fn as_user(&self, uid: u32, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.inside("setpriv");
        let uid = uid.to_string();
        command.args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "--"]);
        // Root's may lead to where nobody else may look.
        command.args(["env", "PATH=/usr/bin:/bin:/usr/sbin:/sbin"]).arg(program);
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
