//! Where helper and client meet.

use std::io;
use std::path::{Path, PathBuf};

use towline_machine::hosts_file;

use super::User;

/// Only administrators can make a pipe of such a name: Windows itself sees to that, and so whatever answers there has their rights. Others rely on it too,
/// among them Tailscale, containerd and `WireGuard`.
const PIPES: &str = r"\\.\pipe\ProtectedPrefix\Administrators\Towline";

/// One user's helper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The user whose programs may speak to the helper.
    pub user: User,
    /// The pipe's name.
    pub pipe: PathBuf,
    /// The helpers' own directory, which only administrators can write in.
    pub directory: PathBuf,
}

impl Place {
    /// The place of the user's helper on this machine. Its directory is beside the hosts file: what is below `ProgramData` may be made by anybody.
    pub fn of(user: User) -> Self {
        let pipe = Path::new(PIPES).join(user.as_str());
        Self { user, pipe, directory: hosts_file::path().with_file_name("towline") }
    }

    /// The place of this process's user.
    ///
    /// # Errors
    ///
    /// When Windows does not tell who that is.
    pub fn own() -> io::Result<Self> {
        User::of_process(std::process::id()).map(Self::of)
    }

    /// What the helper is told of the user: the administrator who allows it may be another.
    pub fn argument(&self) -> Option<String> {
        Some(self.user.to_string())
    }

    /// The user's number, as it stands in the hosts file.
    pub fn number(&self) -> u32 {
        self.user.relative()
    }

    /// The directory of all helpers, where they lock each other out.
    pub fn common(&self) -> &Path {
        &self.directory
    }

    /// The pipe, where others have a socket.
    pub fn socket(&self) -> PathBuf {
        self.pipe.clone()
    }
}
