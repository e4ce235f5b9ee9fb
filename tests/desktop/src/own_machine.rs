//! A machine with a user without rights, D-Bus and polkit, a hosts file and ports of its own, and a way to the cluster's API server.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use towline_cluster_tests::machine::Machine as Link;
use towline_cluster_tests::{LIMIT, setting};
use towline_elevation_tests::{Machine, Polkit};

use crate::gate::Gate;
use crate::ground::application;
use crate::process::ending_with_us;

/// See the module. All that runs on it ends with it.
pub struct OwnMachine {
    /// The machine.
    pub machine: Machine,
    /// The application, as installed on it.
    pub(crate) application: PathBuf,
    /// The program that drives its window.
    pub(crate) driver: PathBuf,
    /// The command line.
    pub command_line: PathBuf,
    /// After the machine: its network.
    link: Link,
}

/// A program that holds a port of the machine. Ended with the machine.
pub struct Holder {
    /// Its number there.
    pub pid: u32,
    child: Child,
}

impl Holder {
    /// Whether it still runs.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it goes on.
    pub async fn ended(&mut self) -> Result<()> {
        tokio::time::timeout(LIMIT, self.child.wait()).await.context("it goes on")??;
        Ok(())
    }
}

impl OwnMachine {
    /// Brings it up. Needs root.
    ///
    /// # Errors
    /// When something is missing, with what.
    pub async fn with(polkit: Polkit) -> Result<Self> {
        tokio::task::spawn_blocking(move || Self::create(polkit)).await?
    }

    fn create(polkit: Polkit) -> Result<Self> {
        let link = Link::create()?;
        let machine = Machine::on_network(&network(&link), polkit)?;
        let application = application()?;
        // It is looked for beside the programs that want it.
        machine.install(&application.with_file_name("towline-helper"))?;
        Ok(Self {
            application: machine.install(&application)?,
            driver: machine.install(Path::new(&setting("TOWLINE_TEST_DRIVER")?))?,
            command_line: machine.install(Path::new(&setting("TOWLINE_TEST_CLI")?))?,
            machine,
            link,
        })
    }

    /// What a program of a user's prints there.
    ///
    /// # Errors
    /// When it fails, with what it said.
    pub fn run_as(&self, uid: u32, program: &str, arguments: &[&str]) -> Result<String> {
        let output = self.machine.as_user(uid, program).args(arguments).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program} {}: {said}", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts a program of a user's there that has port 8080 and is deaf to SIGTERM; gives it when it listens.
    ///
    /// # Errors
    /// When it does not.
    pub async fn deaf_holder(&self, uid: u32) -> Result<Holder> {
        const DEAF: &str = "import os,signal,socket;signal.signal(signal.SIGTERM,signal.SIG_IGN);s=socket.create_server(('127.0.0.1',8080));print(os.getpid(),flush=True);signal.pause()";
        let mut python = self.machine.as_user(uid, "python3");
        let mut child = ending_with_us(python.args(["-c", DEAF])).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("its output")?;
        let line = BufReader::new(output).lines().next_line().await?.context("its number")?;
        Ok(Holder { pid: line.trim().parse()?, child })
    }

    /// A way to a port of its loopback.
    pub(crate) fn gate(&self, port: u16) -> Result<Gate> {
        Gate::to(&network(&self.link), port).context("a way into the machine's network")
    }
}

/// Where the kernel has it.
fn network(link: &Link) -> PathBuf {
    Path::new("/run/netns").join(link.netns())
}
