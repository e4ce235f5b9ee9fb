//! Changing the file on disk: as a whole or not at all, one change at a time, and never through a link.
//!
//! What differs between systems is in `system`: how files are opened, how two states of the file are told apart, and whether a new file can take the old
//! one's place.

mod in_place;
#[cfg_attr(unix, path = "replace/unix.rs")]
#[cfg_attr(windows, path = "replace/windows.rs")]
mod system;
#[cfg(all(test, unix))]
mod tests;

use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{HostsFileError, LIMIT};

/// How often a change is tried anew when another program changes the file at the same moment.
const ATTEMPTS: u32 = 5;

/// The right to change the hosts file; whoever has it is alone, as long as everybody takes it.
#[derive(Debug)]
pub struct Lock {
    /// A file that only this use has open: closing it ends the lock, also when the process is killed.
    _file: File,
    /// Where a copy of the file is kept while it is written in place.
    scratch: PathBuf,
}

impl Lock {
    /// Takes the lock by the file `hosts.lock` in `directory`, which must be the superuser's alone. Waits for whoever has it, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the lock's file cannot be made, or somebody keeps it.
    pub fn take(directory: &Path, limit: Duration) -> Result<Self, HostsFileError> {
        let path = directory.join("hosts.lock");
        let failed = |source: io::Error| HostsFileError::Lock { path: path.clone(), source };
        let file = system::open_lock(&path).map_err(failed)?;
        let until = Instant::now() + limit;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file, scratch: directory.to_owned() }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    // There is no lock with a limit; whoever has it is done within milliseconds.
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => {
                    let kept = format!("another program has kept it for {} s", limit.as_secs());
                    return Err(failed(io::Error::new(io::ErrorKind::TimedOut, kept)));
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }
}

/// Changes the file at `path`, and tells whether there was anything to change. A new file takes the old one's place, with its owner, mode and attributes;
/// where that cannot be, since the file is a mount or has other names, or this is Windows, it is written in place. `change` may be asked several times.
///
/// # Errors
///
/// When the file is missing, a link, not a file, too large, or cannot be read or written. It is then as it was, but for [`HostsFileError::Damaged`].
pub fn edit(
    path: &Path,
    lock: &Lock,
    change: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<bool, HostsFileError> {
    in_place::finish(path, lock)?;
    for _ in 0..ATTEMPTS {
        let current = Current::read(path)?;
        let new = change(&current.bytes);
        if new == current.bytes {
            return Ok(false);
        }
        if new.len() as u64 > LIMIT {
            return Err(HostsFileError::TooLarge { path: path.to_owned() });
        }
        match replace(&current, lock, &new)? {
            Outcome::Done => return Ok(true),
            Outcome::Contended => {}
        }
    }
    Err(HostsFileError::Contended { path: path.to_owned(), attempts: ATTEMPTS })
}

/// Removes what a change that was cut short by a kill left beside the file, and completes what it left inside.
///
/// # Errors
///
/// As [`edit`].
pub fn sweep(path: &Path, lock: &Lock) -> Result<(), HostsFileError> {
    in_place::finish(path, lock)?;
    system::sweep(path)
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// The file is not the one any more that was read.
    Contended,
}

fn replace(current: &Current<'_>, lock: &Lock, new: &[u8]) -> Result<Outcome, HostsFileError> {
    match system::replace(current, new) {
        Ok(None) => in_place::write(current, lock, new),
        // A full disk has no room for a second file, and never lacks it for a smaller one: lines can always be removed.
        Err(HostsFileError::Full { .. }) if new.len() <= current.bytes.len() => {
            in_place::write(current, lock, new)
        }
        Ok(Some(outcome)) => Ok(outcome),
        Err(error) => Err(error),
    }
}

/// The file as it was read.
struct Current<'a> {
    path: &'a Path,
    /// The open file, and what the system told of it then.
    seen: system::Seen,
    bytes: Vec<u8>,
}

impl<'a> Current<'a> {
    fn read(path: &'a Path) -> Result<Self, HostsFileError> {
        let failed = |source: io::Error| HostsFileError::Read { path: path.to_owned(), source };
        let seen = system::Seen::open(path)?;
        let mut bytes = Vec::new();
        seen.file().take(LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LIMIT {
            return Err(HostsFileError::TooLarge { path: path.to_owned() });
        }
        Ok(Self { path, seen, bytes })
    }

    /// Whether the file is still the one that was read, with the same bytes as far as the system tells.
    fn is_unchanged(&self) -> Result<bool, HostsFileError> {
        self.seen
            .is_still_at(self.path)
            .map_err(|source| HostsFileError::Read { path: self.path.to_owned(), source })
    }

    /// The error for what the system said while `doing` something to write the file.
    fn failed(&self, doing: &'static str, source: io::Error) -> HostsFileError {
        let path = self.path.to_owned();
        match system::sort(&source) {
            Sort::Full => HostsFileError::Full { path, source },
            Sort::ReadOnly => HostsFileError::ReadOnly { path, source },
            Sort::Other => HostsFileError::Write { path, doing, source },
        }
    }
}

/// What the system means by an error of writing.
enum Sort {
    Full,
    ReadOnly,
    Other,
}
