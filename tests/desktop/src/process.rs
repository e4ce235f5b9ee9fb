//! Processes that end with the test.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// Set in the environment of every process of one desktop, so that they are found again, whoever started them.
pub const MARKER: &str = "TOWLINE_TEST_DESKTOP";

/// A command whose process ends with the thread that starts it, even if that is killed.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "TERM", "--"])
        .arg(program)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// As [`command`], of a command that has its arguments already.
pub(crate) fn ending_with_us(inner: &std::process::Command) -> Command {
    let mut command = command(inner.get_program());
    command.args(inner.get_args());
    command
}

/// The running processes of `program` that belong to the desktop `marker`.
pub fn of_program(marker: &str, program: &Path) -> Vec<u32> {
    let is = |id: &u32| fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|exe| exe == program);
    of_desktop(marker).into_iter().filter(is).collect()
}

/// The running processes that belong to the desktop `marker`.
pub fn of_desktop(marker: &str) -> Vec<u32> {
    let wanted = format!("{MARKER}={marker}").into_bytes();
    let ids = fs::read_dir("/proc").into_iter().flatten().flatten();
    ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id| {
            // A process may end while we look. A zombie has an empty environment.
            fs::read(format!("/proc/{id}/environ"))
                .is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == wanted))
        })
        .collect()
}

/// Whether a process with this id still runs; one that nobody has waited for does not.
pub fn runs(id: u32) -> bool {
    match fs::read_to_string(format!("/proc/{id}/stat")) {
        Ok(stat) => !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" Z")),
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

/// Waits for the end of a process, at most so long.
pub(crate) fn wait_for_end(id: u32, limit: Duration) {
    let end = Instant::now() + limit;
    while runs(id) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal to one process.
///
/// # Errors
/// When there is no such process.
pub fn signal(id: u32, signal: &str) -> Result<()> {
    let status = std::process::Command::new("kill")
        .args([format!("-{signal}"), id.to_string()])
        .status()
        .context("run kill")?;
    ensure!(status.success(), "process {id} cannot be sent {signal}: {status}");
    Ok(())
}
