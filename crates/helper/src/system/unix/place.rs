//! Where helper and client meet.

use std::io;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::User;

/// The superuser's directory for all helpers.
#[cfg(target_os = "linux")]
const ROOT: &str = "/run/towline";
#[cfg(not(target_os = "linux"))]
const ROOT: &str = "/var/run/towline";

/// One user's helper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The directory of all helpers: the superuser's, and nobody else's to write.
    pub root: PathBuf,
    /// The user whose programs may speak to the helper.
    pub uid: u32,
    /// Who the helper must be.
    pub helper_uid: u32,
}

impl Place {
    /// The place of the user's helper on this machine.
    pub fn of(uid: User) -> Self {
        Self { root: ROOT.into(), uid, helper_uid: 0 }
    }

    /// The place of this process's user.
    ///
    /// # Errors
    ///
    /// Never, on these systems.
    pub fn own() -> io::Result<Self> {
        Ok(Self::of(geteuid().as_raw()))
    }

    /// What the helper is told of the user where nobody else tells it: on Linux, pkexec(1) does.
    pub fn argument(&self) -> Option<String> {
        cfg!(not(target_os = "linux")).then(|| self.uid.to_string())
    }

    /// The user's number, as it stands in the hosts file.
    pub fn number(&self) -> u32 {
        self.uid
    }

    /// The directory of all helpers, where they lock each other out.
    pub fn common(&self) -> &Path {
        &self.root
    }

    /// The directory that only the user can enter.
    pub fn directory(&self) -> PathBuf {
        self.root.join(self.uid.to_string())
    }

    /// The socket.
    pub fn socket(&self) -> PathBuf {
        self.directory().join("helper.sock")
    }

    /// What a helper keeps locked as long as it lives.
    pub fn lock(&self) -> PathBuf {
        self.root.join(format!("{}.lock", self.uid))
    }
}
