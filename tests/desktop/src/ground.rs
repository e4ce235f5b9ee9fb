//! Where the application of a desktop runs: as which user, and what it finds there.

use std::ffi::OsStr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::process::Command;
use towline_cluster_tests::setting;
use towline_elevation_tests::ALICE;

use crate::own_machine::OwnMachine;
use crate::process::{command, ending_with_us};

/// See the module.
pub(crate) enum Ground {
    /// On this machine, as root.
    Here,
    /// So, but for a hosts file and a place for the helper of its own, in a mount namespace: what it changes there, nobody else sees.
    OwnHosts(PathBuf),
    /// As a user without rights, on a machine of its own.
    Machine(OwnMachine),
}

impl Ground {
    /// A command that runs there, as the user.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        const OWN: &str = "mount --bind \"$0\" /etc/hosts && mkdir -p /run/towline && mount -t tmpfs tmpfs /run/towline && exec \"$@\"";
        match self {
            Self::Here => command(program),
            Self::OwnHosts(hosts) => {
                let mut own = command("unshare");
                own.args(["--mount", "--propagation", "private", "sh", "-c", OWN]);
                own.arg(hosts).arg(program);
                own
            }
            Self::Machine(own) => ending_with_us(&own.machine.as_user(ALICE, program)),
        }
    }

    /// The binary under test, where the user can run it.
    ///
    /// # Errors
    /// When the harness is not set up.
    pub(crate) fn application(&self) -> Result<PathBuf> {
        match self {
            Self::Here | Self::OwnHosts(_) => application(),
            Self::Machine(own) => Ok(own.application.clone()),
        }
    }

    /// The program that drives windows, where the user can run it.
    ///
    /// # Errors
    /// When the harness is not set up.
    pub(crate) fn driver(&self) -> Result<PathBuf> {
        match self {
            Self::Here | Self::OwnHosts(_) => Ok(setting("TOWLINE_TEST_DRIVER")?.into()),
            Self::Machine(own) => Ok(own.driver.clone()),
        }
    }

    /// Makes a file or directory the user's.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn give(&self, path: &Path) -> Result<()> {
        match self {
            Self::Here | Self::OwnHosts(_) => Ok(()),
            Self::Machine(_) => chown(path, Some(ALICE), Some(ALICE))
                .with_context(|| format!("give {} away", path.display())),
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
