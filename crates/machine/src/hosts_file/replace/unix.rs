//! Files as Linux and macOS have them.

#[path = "renamed.rs"]
mod renamed;

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{self as system, AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

pub(super) use self::renamed::sweep;
use super::super::HostsFileError;
use super::{Current, Outcome, Sort};

/// A file, and what was known of it when it was opened.
pub(super) struct Seen {
    file: File,
    stat: Stat,
}

impl Seen {
    /// Opens the file to read it. No link is followed.
    pub(super) fn open(path: &Path) -> Result<Self, HostsFileError> {
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
        Ok(Self { file: file.into(), stat })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Whether the very file is still there, unchanged.
    pub(super) fn is_still_at(&self, path: &Path) -> io::Result<bool> {
        let now = match system::statat(system::CWD, path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(now) => now,
            Err(Errno::NOENT) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        };
        let identity = |stat: &Stat| {
            let times = (stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec);
            (stat.st_dev, stat.st_ino, stat.st_size, times)
        };
        Ok(identity(&now) == identity(&self.stat))
    }
}

/// Opens the lock's file, which is made if it is not there.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(system::open(path, flags, Mode::RUSR | Mode::WUSR)?.into())
}

/// Opens the file to write in it. No link is followed.
pub(super) fn open_to_write(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(system::open(path, flags, Mode::empty())?.into())
}

/// A new file that nobody else can read.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Lets a new file take the old one's place; nothing, when the file must be written in place.
pub(super) fn replace(
    current: &Current<'_>,
    new: &[u8],
) -> Result<Option<Outcome>, HostsFileError> {
    // A new file would leave the other names with the old one.
    if current.seen.stat.st_nlink != 1 { Ok(None) } else { renamed::replace(current, new) }
}

pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(bytes, offset)
}

/// Takes the room that the file needs, so that writing cannot fail half-way for the lack of it.
#[cfg(target_os = "linux")]
pub(super) fn reserve(file: &File, length: usize) -> io::Result<()> {
    match system::fallocate(file, system::FallocateFlags::KEEP_SIZE, 0, length.max(1) as u64) {
        // The file system cannot; then a failure half-way puts the old bytes back.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::NODEV) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn reserve(_: &File, _: usize) -> io::Result<()> {
    Ok(())
}

pub(super) fn sort(error: &io::Error) -> Sort {
    match Errno::from_io_error(error) {
        Some(Errno::NOSPC | Errno::DQUOT) => Sort::Full,
        Some(Errno::ROFS | Errno::ACCESS | Errno::PERM | Errno::TXTBSY) => Sort::ReadOnly,
        _ => Sort::Other,
    }
}
