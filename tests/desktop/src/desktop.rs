//! A desktop of its own for each test: display, window manager, session bus, home.

mod parts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use towline_cluster_tests::{LIMIT, eventually};
use towline_elevation_tests::own_directory;

use crate::ground::Ground;
pub use crate::ground::application;
use crate::own_machine::OwnMachine;
use crate::process::{self, MARKER, command};

/// How the directories begin.
const PREFIX: &str = "towline-desktop-";

/// What a user has below the home directory.
const DIRECTORIES: [&str; 7] = ["run", "tmp", "config", "state", "data", "cache", "config/towline"];

/// A desktop that a test has for itself. Everything on it ends with it.
pub struct Desktop {
    /// Home, settings, log files and temporary files of the application.
    pub home: TempDir,
    /// The session bus's address.
    pub bus: String,
    display: String,
    marker: String,
    pub(crate) ground: Ground,
    /// The display first. Ended when dropped.
    parts: Vec<Child>,
}

impl Desktop {
    /// Starts one. Display and ports are chosen by those who use them, so that it does not matter what else runs, or was left, on this machine.
    ///
    /// # Errors
    /// When a part is not installed or does not start.
    pub async fn start() -> Result<Self> {
        Self::on(Ground::Here).await
    }

    /// One of the user without rights of a machine of its own, whose application runs there.
    ///
    /// # Errors
    /// As [`Desktop::start`].
    pub async fn on_machine(machine: OwnMachine) -> Result<Self> {
        Self::on(Ground::Machine(machine)).await
    }

    async fn on(ground: Ground) -> Result<Self> {
        let home = own_directory(PREFIX, |left| end_all(&left.display().to_string()))?;
        ground.give(home.path())?;
        for name in DIRECTORIES {
            let directory = home.path().join(name);
            fs::create_dir(&directory)?;
            ground.give(&directory)?;
        }
        // The hosts file of the machine that the tests run on is nobody's to change.
        let settings = home.path().join("config/towline/settings.yaml");
        fs::write(&settings, "names: variables\n")?;
        ground.give(&settings)?;
        let marker = home.path().display().to_string();

        let (display, number) = parts::display().await?;
        let (daemon, bus) = parts::session_bus(&ground, home.path()).await?;
        let mut desktop = Self {
            home,
            bus,
            display: format!(":{number}"),
            marker,
            ground,
            parts: vec![display, daemon],
        };
        let mut manager = command("openbox");
        desktop.tell(&mut manager);
        let manager = manager.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        desktop.parts.push(manager.context("start openbox")?);
        eventually("a window manager", || async {
            let told = desktop.x("xprop", &["-root", "_NET_SUPPORTING_WM_CHECK"]).await?;
            Ok(told.contains("window id").then_some(()))
        })
        .await?;
        Ok(desktop)
    }

    /// The display's name.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Gives the application a hosts file and a place for the helper of its own, in a mount namespace: what it changes there, nobody else sees.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn with_hosts_file(mut self) -> Result<Self> {
        let path = self.home.path().join("hosts");
        fs::write(&path, "127.0.0.1 localhost\n::1 localhost ip6-localhost\n# ours\n")?;
        self.ground = Ground::OwnHosts(path);
        Ok(self)
    }

    /// The file that the application finds as its hosts file.
    pub fn hosts_file(&self) -> PathBuf {
        match &self.ground {
            Ground::Here => "/etc/hosts".into(),
            Ground::OwnHosts(path) => path.clone(),
            Ground::Machine(own) => own.machine.hosts_path(),
        }
    }

    /// The machine that the application runs on, where that is one of its own.
    ///
    /// # Errors
    /// When it is this one.
    pub fn machine(&self) -> Result<&OwnMachine> {
        match &self.ground {
            Ground::Machine(own) => Ok(own),
            Ground::Here | Ground::OwnHosts(_) => bail!("the application runs on this machine"),
        }
    }

    /// A command of the user's, where the application runs.
    pub fn command_of_user(&self, program: &Path) -> Command {
        let mut command = self.ground.command(program);
        self.tell(&mut command);
        command
    }

    /// The file, where the user can read it.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn readable(&self, file: &Path) -> Result<PathBuf> {
        let Ground::Machine(_) = &self.ground else { return Ok(file.to_owned()) };
        let copy = self.home.path().join(file.file_name().context("a file")?);
        fs::copy(file, &copy).with_context(|| format!("copy {}", file.display()))?;
        self.ground.give(&copy)?;
        Ok(copy)
    }

    /// Runs a program on the machine that the application of this process sees, and gives what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub async fn run_beside(&self, id: u32, program: &str, arguments: &[&str]) -> Result<String> {
        let mut command = command("nsenter");
        command.args(["--target", &id.to_string(), "--mount", "--", program]).args(arguments);
        let output = command.output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program} {}: {said}", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Tells a command where the desktop is.
    pub fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let below = |name: &str| self.home.path().join(name);
        command
            .env(MARKER, &self.marker)
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("HOME", self.home.path())
            .env("XDG_RUNTIME_DIR", below("run"))
            .env("XDG_CONFIG_HOME", below("config"))
            .env("XDG_STATE_HOME", below("state"))
            .env("XDG_DATA_HOME", below("data"))
            .env("XDG_CACHE_HOME", below("cache"))
            .env("TMPDIR", below("tmp"))
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("WEBKIT_DISABLE_DMABUF_RENDERER")
    }

    /// Runs one of X's own programs and gives what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub async fn x(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let mut command = command(program);
        let output = self.tell(command.args(arguments)).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program} {}: {said}", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The running processes of the application on this desktop.
    ///
    /// # Errors
    /// When the harness is not set up.
    pub fn applications(&self) -> Result<Vec<u32>> {
        Ok(self.running(&self.ground.application()?))
    }

    /// The running processes of a program on this desktop.
    pub fn running(&self, program: &Path) -> Vec<u32> {
        process::of_program(&self.marker, program)
    }

    /// Asks the window to close, as its close button does.
    ///
    /// # Errors
    /// When there is no window.
    pub async fn close_window(&self) -> Result<()> {
        let found = self.x("xdotool", &["search", "--onlyvisible", "--name", "^Towline$"]).await?;
        let id = found.lines().next().context("a window")?;
        self.x("wmctrl", &["-i", "-c", id]).await.map(drop)
    }

    /// Whether the application's window is on the screen: neither hidden in the tray nor minimised.
    ///
    /// # Errors
    /// When X does not answer.
    pub async fn shows_window(&self) -> Result<bool> {
        let found = self.x("xdotool", &["search", "--onlyvisible", "--name", "^Towline$"]).await;
        // xdotool fails where it finds nothing.
        Ok(found.is_ok_and(|ids| !ids.trim().is_empty()))
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        end_all(&self.marker);
        // Where it is told to end, and not killed, it removes its socket and its lock.
        let Some(display) = self.parts.first().and_then(Child::id) else { return };
        if process::signal(display, "TERM").is_ok() {
            process::wait_for_end(display, LIMIT);
        }
    }
}

/// Ends what still runs on a desktop.
fn end_all(marker: &str) {
    for id in process::of_desktop(marker) {
        // It may have ended by itself.
        let _ = process::signal(id, "KILL");
    }
}
