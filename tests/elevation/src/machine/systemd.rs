//! A machine whose first process is systemd, with service managers of users.

use std::fs;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::Machine;
use crate::{ALICE, BOB, Kind, first_line, own_directory, until};

/// How the directories begin. Each machine has a control group of its directory's name.
const PREFIX: &str = "towline-systemd-";

/// The machine.
pub struct Systemd {
    // Dropped first: a control group goes only when nobody is in it.
    machine: Machine,
    _group: Group,
}

impl Systemd {
    /// Brings it up, and waits until systemd, polkit and the service managers of both users are there.
    ///
    /// # Errors
    ///
    /// When something is missing, with what.
    pub fn new() -> Result<Self> {
        ensure!(rustix::process::geteuid().is_root(), "these tests boot a machine: they need root");
        let (hierarchy, version) = hierarchy()?;
        let directory = own_directory(PREFIX, |left| {
            let _ = remove(&group_of(hierarchy, left));
        })?;
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
        let group = Group(group_of(hierarchy, directory.path()));
        fs::create_dir(&group.0).with_context(|| format!("make {}", group.0.display()))?;
        // It moves itself into the group first, so that the namespace of groups begins there.
        let script = "echo $$ >\"$1\" && shift && exec \"$@\"";
        let first = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "sh", "-c", script, "join"])
            .arg(group.0.join("cgroup.procs"))
            .args(["unshare", "--mount", "--net", "--pid", "--cgroup", "--uts", "--ipc"])
            .args(["--fork", "--kill-child", "--"])
            .args(["sh", "-c", include_str!("systemd/set-up.sh"), "set-up"])
            .arg(directory.path())
            .arg(version)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("run setpriv")?;
        let mut machine = Machine { directory, kind: Kind::File, first, services: Vec::new() };
        let line = first_line(&mut machine.first)?;
        ensure!(line == "ready", "the machine was not set up");
        fs::create_dir(machine.bin())?;
        machine.install_ours()?;
        let this = Self { machine, _group: group };
        until("systemd is up", || {
            let up = ["is-active", "towline-test.target", "polkit.service"];
            Ok(this.output("systemctl", &up)?.status.success())
        })?;
        for user in [ALICE, BOB] {
            this.read("systemctl", &["start", &format!("user@{user}.service")])?;
        }
        Ok(this)
    }

    /// Starts a unit of the system's, or of a user's own service manager, and waits until its port is listened on.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start(&self, user: Option<u32>, unit: &str, port: u16) -> Result<()> {
        self.systemctl(user, &["start", unit])?;
        until(&format!("{unit} listens"), || self.listens(port))
    }

    /// What `systemctl` prints for the system, or for a user's own service manager.
    ///
    /// # Errors
    ///
    /// When it fails, with what it said.
    pub fn systemctl(&self, user: Option<u32>, arguments: &[&str]) -> Result<String> {
        let output = match user {
            None => self.inside("systemctl").args(arguments).output()?,
            Some(uid) => self
                .as_user(uid, "systemctl")
                .arg("--user")
                .args(arguments)
                .env("XDG_RUNTIME_DIR", format!("/run/user/{uid}"))
                .output()?,
        };
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "systemctl {arguments:?}: {} {said}", output.status);
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// The number of a service's process.
    ///
    /// # Errors
    ///
    /// When the service manager does not say.
    pub fn main_process(&self, unit: &str) -> Result<u32> {
        Ok(self.systemctl(None, &["show", "--value", "--property=MainPID", unit])?.parse()?)
    }

    /// Connects once, which wakes a service up that a socket unit stands for.
    ///
    /// # Errors
    ///
    /// When nobody listens.
    pub fn knock(&self, port: u16) -> Result<()> {
        let program = format!("import socket; socket.create_connection(('127.0.0.1', {port}))");
        self.read("python3", &["-c", &program]).map(drop)
    }

    /// Whether anybody listens on the port.
    ///
    /// # Errors
    ///
    /// When it cannot be told.
    pub fn listens(&self, port: u16) -> Result<bool> {
        let filter = format!("sport = :{port}");
        Ok(!self.read("ss", &["--no-header", "--listening", "--tcp", &filter])?.is_empty())
    }
}

impl Deref for Systemd {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.machine
    }
}

/// A machine's control group. It goes with it.
struct Group(PathBuf);

impl Drop for Group {
    fn drop(&mut self) {
        // The last of its processes end a moment after the first.
        let gone = until("its control group is empty", || Ok(remove(&self.0).is_ok()));
        if let Err(error) = gone {
            eprintln!("{}: {error:#}", self.0.display());
        }
    }
}

/// Where control groups are made that systemd can use, and by which version's rules.
fn hierarchy() -> Result<(&'static Path, &'static str)> {
    let (unified, own) = (Path::new("/sys/fs/cgroup"), Path::new("/sys/fs/cgroup/systemd"));
    if unified.join("cgroup.controllers").exists() {
        return Ok((unified, "v2"));
    }
    ensure!(own.join("cgroup.procs").exists(), "there are no control groups in {}", own.display());
    Ok((own, "v1"))
}

fn group_of(hierarchy: &Path, directory: &Path) -> PathBuf {
    hierarchy.join(directory.file_name().unwrap_or_default())
}

/// Removes a control group and those below it, if nobody is in them.
fn remove(path: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    fs::remove_dir(path)
}
