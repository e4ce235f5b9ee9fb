//! A file that appears under its name when it is whole.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rustix::fs::{AtFlags, Mode, OFlags, fchmod, openat, renameat, unlinkat};

use crate::directory::permissions;

/// A file beside the one whose place it will take. Dropped before [`Staged::commit`], it is removed, and what was there stays.
#[derive(Debug)]
pub struct Staged {
    directory: OwnedFd,
    file: File,
    temporary: Vec<u8>,
    name: Vec<u8>,
    committed: bool,
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A name that nobody else has in a directory at this moment.
pub(crate) fn temporary_name() -> Vec<u8> {
    format!(".towline-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed)).into_bytes()
}

impl Staged {
    pub(crate) fn begin(directory: OwnedFd, name: &[u8]) -> io::Result<Self> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let temporary = temporary_name();
            let file =
                match openat(&directory, temporary.as_slice(), flags, Mode::RUSR | Mode::WUSR) {
                    // One that a process of the same number has left.
                    Err(rustix::io::Errno::EXIST) => continue,
                    file => File::from(file?),
                };
            return Ok(Self { directory, file, temporary, name: name.to_vec(), committed: false });
        }
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives the file to another user and group, as far as that is permitted.
    pub fn give_to(&self, (user, group): (u32, u32)) {
        use rustix::fs::{Gid, Uid, fchown};
        // Only root may give to another user; a group may be had without that. Whoever may neither keeps the file.
        let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
        if fchown(&self.file, Some(user), Some(group)).is_err() {
            let _ = fchown(&self.file, None, Some(group));
        }
    }

    /// Gives the file its permissions and its name.
    ///
    /// # Errors
    /// What the system answers; what was there is then still there.
    pub fn commit(mut self, mode: u32) -> io::Result<()> {
        fchmod(&self.file, permissions(mode))?;
        renameat(
            &self.directory,
            self.temporary.as_slice(),
            &self.directory,
            self.name.as_slice(),
        )?;
        self.committed = true;
        Ok(())
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.committed {
            // What cannot be removed now goes with the directory at the end.
            let _ = unlinkat(&self.directory, self.temporary.as_slice(), AtFlags::empty());
        }
    }
}
