//! A machine of the test's own on this machine: namespaces for mounts, processes and network, with a copied `/etc`, an empty `/run`, two users without
//! rights, D-Bus and polkit. Nothing in it is seen outside, and all of it ends with the test; what a killed run leaves of it, the next one removes. Needs root, and Debian's dbus, polkitd and pkexec:
//! `cargo xtask test elevation` brings them.

mod directory;
mod machine;
mod program;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

pub use self::directory::own_directory;
pub use self::machine::{Machine, Systemd};
pub use self::program::Program;

/// The users who have no rights.
pub const ALICE: u32 = 4001;
/// The other one.
pub const BOB: u32 = 4002;
/// The superuser.
pub const ROOT: u32 = 0;

/// Of both users.
pub const PASSWORD: &str = "towline";

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(30);

/// How the hosts file is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As on a developer's machine: a new file can take its place.
    File,
    /// As in a container: it is a mount, and can only be written in place.
    Mount,
    /// A mount on a file system that has room for little more.
    MountOnSmallDisk,
}

/// What polkit says to the users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polkit {
    /// Yes, to all of them.
    Grants,
    /// No.
    Refuses,
    /// It asks for the user's own password, which is [`PASSWORD`], if anybody is there who can ask.
    Asks,
    /// It is not there.
    Absent,
}

fn first_line(child: &mut Child) -> Result<String> {
    let mut line = String::new();
    let output = child.stdout.as_mut().context("its output is kept")?;
    BufReader::new(output).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// Asks until it is so.
///
/// # Errors
///
/// When it does not become so, or asking fails.
pub fn until(what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + LIMIT;
    while !is_so()? {
        if Instant::now() > end {
            bail!("waited {} s in vain: {what}", LIMIT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Writes a line to a child.
pub(crate) fn say(child: &mut Child, line: &str) -> Result<()> {
    let input = child.stdin.as_mut().context("its input is kept")?;
    writeln!(input, "{line}")?;
    Ok(input.flush()?)
}

/// Whether the file is there with this mode and owner.
///
/// # Errors
///
/// When it cannot be looked at.
pub fn mode_and_owner(path: &Path) -> Result<(u32, u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path)?;
    Ok((metadata.mode() & 0o7777, metadata.uid(), metadata.gid()))
}
