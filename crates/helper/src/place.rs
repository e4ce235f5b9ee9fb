//! Where helper and client meet.

use std::path::PathBuf;

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
    pub fn of(uid: u32) -> Self {
        Self { root: ROOT.into(), uid, helper_uid: 0 }
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
