//! A desktop of its own for each test: display, window manager, session bus, home.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use towline_cluster_tests::{eventually, setting};

use crate::home;
use crate::process::{self, MARKER, command};

/// How long a part of the desktop may take to say that it is there.
const START: Duration = Duration::from_secs(30);

/// A session bus that starts nothing by itself: no portals, keyrings and accessibility services of the machine's own.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A desktop that a test has for itself. Everything on it ends with it.
pub struct Desktop {
    /// Home, settings, log files and temporary files of the application.
    pub home: TempDir,
    /// The session bus's address.
    pub bus: String,
    display: String,
    marker: String,
    /// What the application finds as this machine's hosts file.
    hosts: Option<PathBuf>,
    // Ended when dropped.
    _parts: Vec<Child>,
}

impl Desktop {
    /// Starts one. Display and ports are chosen by those who use them, so that it does not matter what else runs, or was left, on this machine.
    ///
    /// # Errors
    /// When a part is not installed or does not start.
    pub async fn start() -> Result<Self> {
        let home = home::make()?;
        for name in ["run", "tmp", "config", "state", "data", "cache"] {
            fs::create_dir(home.path().join(name))?;
        }
        // The hosts file of the machine that the tests run on is nobody's to change.
        fs::create_dir(home.path().join("config/towline"))?;
        fs::write(home.path().join("config/towline/settings.yaml"), "names: variables\n")?;
        let marker = home.path().display().to_string();

        let mut xvfb = command("Xvfb");
        xvfb.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1440x900x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ]);
        let (xvfb, number) = first_line(xvfb.stderr(Stdio::null()), "Xvfb").await?;
        let display = format!(":{number}");

        let bus_config = home.path().join("run/bus.conf");
        fs::write(&bus_config, BUS)?;
        let mut daemon = command("dbus-daemon");
        daemon
            .arg(format!("--config-file={}", bus_config.display()))
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .env(MARKER, &marker)
            .stderr(Stdio::null());
        let (daemon, bus) = first_line(&mut daemon, "dbus-daemon").await?;

        let mut desktop =
            Self { home, bus, display, marker, hosts: None, _parts: vec![xvfb, daemon] };
        let mut manager = command("openbox");
        desktop.tell(&mut manager);
        let manager = manager.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        desktop._parts.push(manager.context("start openbox")?);
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
        self.hosts = Some(path);
        Ok(self)
    }

    /// The file that the application finds as its hosts file; only after [`Desktop::with_hosts_file`].
    pub fn hosts_file(&self) -> &Path {
        self.hosts.as_deref().unwrap_or_else(|| Path::new("/etc/hosts"))
    }

    /// A command that the application is started by.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let Some(hosts) = &self.hosts else { return command(program) };
        const OWN: &str = "mount --bind \"$0\" /etc/hosts && mkdir -p /run/towline && mount -t tmpfs tmpfs /run/towline && exec \"$@\"";
        let mut own = command("unshare");
        own.args(["--mount", "--propagation", "private", "sh", "-c", OWN]).arg(hosts).arg(program);
        own
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
        Ok(self.running(&application()?))
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
        for id in process::of_desktop(&self.marker) {
            // It may have ended by itself.
            let _ = process::signal(id, "KILL");
        }
    }
}

/// The binary under test, without symbolic links.
///
/// # Errors
/// When the harness is not set up.
pub fn application() -> Result<PathBuf> {
    let path = setting("TOWLINE_TEST_APP")?;
    Path::new(&path).canonicalize().with_context(|| format!("look for {path}"))
}

/// Starts a program and waits for its first line.
async fn first_line(command: &mut Command, name: &str) -> Result<(Child, String)> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("start {name}"))?;
    let output = child.stdout.take().context("the output was asked for as a pipe")?;
    let mut lines = BufReader::new(output).lines();
    let line = tokio::time::timeout(START, lines.next_line())
        .await
        .with_context(|| format!("{name} says nothing"))??;
    Ok((child, line.with_context(|| format!("{name} ended"))?))
}
