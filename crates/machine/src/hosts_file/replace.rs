//! Changing the file on disk: as a whole or not at all, one change at a time, and never through a link.

mod in_place;
mod renamed;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{self as system, AtFlags, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{HostsFileError, LIMIT};

/// How often a change is tried anew when another program changes the file at the same moment.
const ATTEMPTS: u32 = 5;

/// The right to change the hosts file; whoever has it is alone, as long as everybody takes it.
#[derive(Debug)]
pub struct Lock {
    /// A file that only this use has open: closing it ends the lock, also when the process is killed.
    _file: OwnedFd,
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
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = system::open(&path, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|errno| failed(errno.into()))?;
        let until = Instant::now() + limit;
        loop {
            match system::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _file: file, scratch: directory.to_owned() }),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) if Instant::now() < until => {
                    // There is no lock with a limit; whoever has it is done within milliseconds.
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(Errno::WOULDBLOCK) => {
                    let kept = format!("another program has kept it for {} s", limit.as_secs());
                    return Err(failed(io::Error::new(io::ErrorKind::TimedOut, kept)));
                }
                Err(errno) => return Err(failed(errno.into())),
            }
        }
    }
}

/// Changes the file at `path`, and tells whether there was anything to change. A new file takes the old one's place, with its owner, mode and attributes;
/// where that cannot be, since the file is a mount or has other names, it is written in place. `change` may be asked several times.
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
    renamed::sweep(path)
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// The file is not the one any more that was read.
    Contended,
}

fn replace(current: &Current<'_>, lock: &Lock, new: &[u8]) -> Result<Outcome, HostsFileError> {
    // A new file would leave the other names with the old one.
    if current.stat.st_nlink != 1 {
        return in_place::write(current, lock, new);
    }
    match renamed::replace(current, new) {
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
    file: File,
    stat: Stat,
    bytes: Vec<u8>,
}

impl<'a> Current<'a> {
    fn read(path: &'a Path) -> Result<Self, HostsFileError> {
        let failed = |source: io::Error| HostsFileError::Read { path: path.to_owned(), source };
        // Without NONBLOCK, a pipe in the file's place would keep us here for ever.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = system::open(path, flags, Mode::empty()).map_err(|errno| match errno {
            Errno::LOOP => HostsFileError::Link { path: path.to_owned() },
            Errno::NOENT => HostsFileError::Missing { path: path.to_owned() },
            errno => failed(errno.into()),
        })?;
        let stat = system::fstat(&file).map_err(|errno| failed(errno.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(HostsFileError::NotAFile { path: path.to_owned() });
        }
        let file = File::from(file);
        let mut bytes = Vec::new();
        (&file).take(LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LIMIT {
            return Err(HostsFileError::TooLarge { path: path.to_owned() });
        }
        Ok(Self { path, file, stat, bytes })
    }

    /// Whether the file is still the one that was read, with the same bytes as far as the system tells.
    fn is_unchanged(&self) -> Result<bool, HostsFileError> {
        let now = system::statat(system::CWD, self.path, AtFlags::SYMLINK_NOFOLLOW);
        let now = match now {
            Ok(now) => now,
            Err(Errno::NOENT) => return Ok(false),
            Err(errno) => {
                return Err(HostsFileError::Read {
                    path: self.path.to_owned(),
                    source: errno.into(),
                });
            }
        };
        let identity = |stat: &Stat| {
            let times = (stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec);
            (stat.st_dev, stat.st_ino, stat.st_size, times)
        };
        Ok(identity(&now) == identity(&self.stat))
    }

    /// The error for what the system said while `doing` something to write the file.
    fn failed(&self, doing: &'static str, source: io::Error) -> HostsFileError {
        let path = self.path.to_owned();
        match Errno::from_io_error(&source) {
            Some(Errno::NOSPC | Errno::DQUOT) => HostsFileError::Full { path, source },
            Some(Errno::ROFS | Errno::ACCESS | Errno::PERM | Errno::TXTBSY) => {
                HostsFileError::ReadOnly { path, source }
            }
            _ => HostsFileError::Write { path, doing, source },
        }
    }
}
