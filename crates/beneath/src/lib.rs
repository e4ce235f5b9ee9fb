//! Working with files below a directory without ever leaving it.
//!
//! The names and links in a pod's volume are somebody else's. So every step down is an `openat` that follows no link, and every path is an
//! [`Inside`], which cannot hold `..`, an absolute path or a zero byte. What is opened stays the file that was meant, even if somebody moves
//! directories about meanwhile. Used on both sides: by the agent where it reads and writes volumes, and by the core where it keeps the copies.

#[cfg(unix)]
mod directory;
mod inside;
#[cfg(unix)]
mod staged;
#[cfg(unix)]
mod wipe;

#[cfg(unix)]
pub use directory::{Directory, FileKind, FileStat};
pub use inside::{Inside, NotInside};
#[cfg(unix)]
pub use staged::Staged;
#[cfg(unix)]
pub use wipe::wipe;
