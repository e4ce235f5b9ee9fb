//! The parts of a desktop.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::ground::Ground;
use crate::process::{MARKER, command};

/// How long a part of the desktop may take to say that it is there.
const START: Duration = Duration::from_secs(30);

/// A display, with its number.
pub(super) async fn display() -> Result<(Child, String)> {
    let mut xvfb = command("Xvfb");
    xvfb.args(["-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp", "-noreset"]);
    first_line(xvfb.stderr(Stdio::null()), "Xvfb").await
}

/// The session bus of the user whose home is `home`, with its address.
pub(super) async fn session_bus(ground: &Ground, home: &Path) -> Result<(Child, String)> {
    let config = home.join("run/bus.conf");
    fs::write(&config, bus_config(&home.join("run/bus")))?;
    let mut daemon = ground.command("dbus-daemon");
    daemon
        .arg(format!("--config-file={}", config.display()))
        .args(["--nofork", "--nopidfile", "--print-address=1"])
        .env(MARKER, home)
        .stderr(Stdio::null());
    first_line(&mut daemon, "dbus-daemon").await
}

/// A session bus at this socket that starts nothing by itself: no portals, keyrings and accessibility services of the machine's own.
fn bus_config(socket: &Path) -> String {
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#,
        socket.display()
    )
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
