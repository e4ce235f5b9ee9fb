//! The hosts file (hosts(5)): a block of lines for each session, and everybody else's lines, which nothing here ever changes.
//!
//! A line is ours only if it says so itself: the two lines around a block name the session, and so does each entry at its end. Whatever stands between
//! them is somebody else's and stays, and a block that lost its last line takes nothing with it.

mod block;
mod edit;
mod error;
mod lines;
mod replace;

use std::net::IpAddr;
use std::path::Path;
#[cfg(windows)]
use std::{path::PathBuf, sync::LazyLock};

use serde::{Deserialize, Serialize};

pub use self::block::{Block, Owner};
pub use self::edit::{apply, remove, remove_where};
pub use self::error::HostsFileError;
pub use self::lines::OtherLine;
pub use self::replace::{Lock, edit, sweep};
use crate::{HostName, LoopbackAddress};

/// Where the hosts file is.
#[cfg(not(windows))]
pub fn path() -> &'static Path {
    Path::new("/etc/hosts")
}

/// Where the hosts file is: in Windows' own directory, by the registry. The variable `SystemRoot` would say the same, but a user may give it another value
/// for his own programs, those with administrator rights among them.
#[cfg(windows)]
pub fn path() -> &'static Path {
    static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
        let root = windows_registry::LOCAL_MACHINE
            .open(r"SOFTWARE\Microsoft\Windows NT\CurrentVersion")
            .and_then(|key| key.get_string("SystemRoot"))
            .unwrap_or_else(|_| r"C:\Windows".to_owned());
        Path::new(&root).join(r"System32\drivers\etc\hosts")
    });
    &PATH
}

/// The largest hosts file that is read or written, in bytes.
pub const LIMIT: u64 = 16 << 20;

/// The names of one address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostsEntry {
    /// The address.
    pub address: LoopbackAddress,
    /// Its names: the first is what a look-up of the address gives.
    pub names: Vec<HostName>,
}

/// A hosts file as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostsFile {
    /// The sessions' blocks, of all users, in the order of the file.
    pub blocks: Vec<Block>,
    /// All other lines that give names to an address.
    pub others: Vec<OtherLine>,
}

impl HostsFile {
    /// Reads the file's bytes. Whatever is not understood is passed over.
    pub fn parse(bytes: &[u8]) -> Self {
        lines::read(bytes)
    }

    /// Reads this machine's hosts file; needs no rights. One that is missing counts as empty.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is larger than [`LIMIT`].
    pub fn look() -> Result<Self, HostsFileError> {
        Self::look_at(path())
    }

    /// As [`HostsFile::look`], for the file at `path`.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is larger than [`LIMIT`].
    pub fn look_at(path: &Path) -> Result<Self, HostsFileError> {
        use std::io::Read;
        let read = || -> std::io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            std::fs::File::open(path)?.take(LIMIT + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) if bytes.len() as u64 > LIMIT => {
                Err(HostsFileError::TooLarge { path: path.to_owned() })
            }
            Ok(bytes) => Ok(Self::parse(&bytes)),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(HostsFileError::Read { path: path.to_owned(), source }),
        }
    }

    /// Blocks that nobody removes any more: their helper is gone. The next helper that starts removes them.
    pub fn stale(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| block.is_stale())
    }

    /// All addresses that have a name here, those of the blocks included.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let blocks = self.blocks.iter().flat_map(|block| &block.entries);
        blocks.map(|entry| entry.address.ip()).chain(self.others.iter().map(|line| line.address))
    }
}

#[cfg(test)]
mod tests;
