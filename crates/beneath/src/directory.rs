//! A directory that is open.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, RawMode, Stat, fchmod, fstat, mkdirat, openat,
    readlinkat, renameat, statat, symlinkat, unlinkat,
};

use crate::Inside;
use crate::staged::Staged;

/// A directory; everything is done relative to it, and no link is followed.
#[derive(Debug)]
pub struct Directory(OwnedFd);

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, a pipe, a socket.
    Special,
}

/// What is known of a file without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStat {
    /// What it is.
    pub kind: FileKind,
    /// Its length in bytes.
    pub size: u64,
    /// Its permissions: the lowest nine bits, so neither setuid nor setgid.
    pub mode: u32,
    /// The user and the group that it belongs to.
    pub owner: (u32, u32),
    /// The inode's number.
    pub inode: u64,
    /// The device that it is on.
    pub device: u64,
    /// When its bytes were changed, in seconds since 1970.
    pub modified: i64,
    /// When anything of it was changed: seconds and nanoseconds.
    pub changed: (i64, u32),
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Directory {
    /// Opens a directory by a path that is trusted: links in it are followed.
    ///
    /// # Errors
    /// What the system answers.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(rustix::fs::open(path, DIRECTORY, Mode::empty())?))
    }

    /// The directory `path` below this one.
    ///
    /// # Errors
    /// What the system answers; a link on the way is "not a directory".
    pub fn descend(&self, path: &Inside) -> io::Result<Self> {
        let mut at = self.again()?;
        for name in path.names() {
            at = at.child(name)?;
        }
        Ok(at)
    }

    /// The same, and makes the directories that are missing.
    ///
    /// # Errors
    /// What the system answers.
    pub fn descend_or_make(&self, path: &Inside) -> io::Result<Self> {
        let mut at = self.again()?;
        for name in path.names() {
            match mkdirat(&at.0, name, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            at = at.child(name)?;
        }
        Ok(at)
    }

    fn child(&self, name: &[u8]) -> io::Result<Self> {
        Ok(Self(openat(&self.0, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?))
    }

    fn again(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// What the entry `name` is.
    ///
    /// # Errors
    /// What the system answers.
    pub fn stat(&self, name: &[u8]) -> io::Result<FileStat> {
        Ok(FileStat::from(&statat(&self.0, plain(name)?, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// What this directory is.
    ///
    /// # Errors
    /// What the system answers.
    pub fn stat_self(&self) -> io::Result<FileStat> {
        Ok(FileStat::from(&fstat(&self.0)?))
    }

    /// Opens the regular file `name` to be read. Anything else is not opened: a pipe would wait, and a device may do something.
    ///
    /// # Errors
    /// What the system answers.
    pub fn open_file(&self, name: &[u8]) -> io::Result<(File, FileStat)> {
        if self.stat(name)?.kind != FileKind::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = openat(&self.0, name, flags, Mode::empty())?;
        // It may have been replaced since it was looked at.
        let stat = FileStat::from(&fstat(&file)?);
        if stat.kind != FileKind::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok((File::from(file), stat))
    }

    /// Writes `bytes` into the regular file `name` that is there, in its place: for a file that is itself a mount, which nothing can take the place of.
    ///
    /// # Errors
    /// What the system answers; the file may then hold less than before.
    pub fn overwrite(&self, name: &[u8], bytes: &[u8]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.0, plain(name)?, flags, Mode::empty())?;
        if FileStat::from(&fstat(&file)?).kind != FileKind::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let mut file = File::from(file);
        file.set_len(0)?;
        io::Write::write_all(&mut file, bytes)
    }

    /// What the link `name` says.
    ///
    /// # Errors
    /// What the system answers.
    pub fn read_link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        Ok(readlinkat(&self.0, plain(name)?, Vec::new())?.into_bytes())
    }

    /// The names of the entries, as they come. An entry that vanishes meanwhile may be among them.
    ///
    /// # Errors
    /// When the directory cannot be read; each item, what the system answers.
    pub fn names(&self) -> io::Result<impl Iterator<Item = io::Result<Vec<u8>>> + use<>> {
        Ok(self.entries()?.map(|entry| entry.map(|(name, _)| name)))
    }

    /// The same as [`Self::names`], with what each is where the file system tells that in passing (readdir(3), `d_type`).
    ///
    /// # Errors
    /// As [`Self::names`].
    pub fn entries(
        &self,
    ) -> io::Result<impl Iterator<Item = io::Result<(Vec<u8>, Option<FileKind>)>> + use<>> {
        let entries = Dir::read_from(&self.0)?;
        Ok(entries.filter_map(|entry| match entry {
            Ok(entry) => {
                let name = entry.file_name().to_bytes();
                let kind = entry.file_type();
                let kind = (kind != FileType::Unknown).then(|| FileKind::from(kind));
                (name != b"." && name != b"..").then(|| Ok((name.to_vec(), kind)))
            }
            Err(error) => Some(Err(error.into())),
        }))
    }

    /// Begins a file that takes the place of the entry `name` when it is whole.
    ///
    /// # Errors
    /// What the system answers.
    pub fn stage(&self, name: &[u8]) -> io::Result<Staged> {
        Staged::begin(self.0.try_clone()?, plain(name)?)
    }

    /// Makes the directory `name`, or takes the one that is there.
    ///
    /// # Errors
    /// What the system answers; when something else is there.
    pub fn make_directory(&self, name: &[u8]) -> io::Result<Self> {
        self.descend_or_make(&Inside::top().join(name).map_err(io::Error::other)?)
    }

    /// Gives this directory its permissions; the owner can always read, write and enter it.
    ///
    /// # Errors
    /// What the system answers.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        Ok(fchmod(&self.0, permissions(mode) | Mode::RWXU)?)
    }

    /// Makes the link `name`, in one step where a link or a file is there already. What it says is not looked at: see [`Inside::keeps_inside`].
    ///
    /// # Errors
    /// What the system answers; when a directory is there.
    pub fn put_link(&self, name: &[u8], target: &[u8]) -> io::Result<()> {
        let name = plain(name)?;
        match symlinkat(target, &self.0, name) {
            Err(rustix::io::Errno::EXIST) => {}
            done => return Ok(done?),
        }
        let staged = crate::staged::temporary_name();
        symlinkat(target, &self.0, staged.as_slice())?;
        renameat(&self.0, staged.as_slice(), &self.0, name).map_err(|error| {
            // What cannot be removed either is gone with the directory at the end.
            let _ = unlinkat(&self.0, staged.as_slice(), AtFlags::empty());
            error.into()
        })
    }

    /// Moves the entry `from` to the name `to`, in the place of what is there.
    ///
    /// # Errors
    /// What the system answers.
    pub fn rename(&self, from: &[u8], to: &[u8]) -> io::Result<()> {
        Ok(renameat(&self.0, plain(from)?, &self.0, plain(to)?)?)
    }

    /// Removes the entry `name`, with all that is in it, whatever its permissions. Nothing there is no error.
    ///
    /// # Errors
    /// What the system answers.
    pub fn remove(&self, name: &[u8]) -> io::Result<()> {
        let name = plain(name)?;
        match unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => return Ok(()),
            // Linux says that it is a directory; POSIX lets a system say that it is not permitted.
            Err(rustix::io::Errno::ISDIR | rustix::io::Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
        // Directories of which we may not even list what is in them can be ours.
        let child = match self.child(name) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                rustix::fs::chmodat(&self.0, name, Mode::RWXU, AtFlags::empty())?;
                self.child(name)?
            }
            child => child?,
        };
        child.remove_all()?;
        Ok(unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Removes all that is in this directory.
    ///
    /// # Errors
    /// What the system answers.
    pub fn remove_all(&self) -> io::Result<()> {
        // Where it is not ours, removing tells why it does not go.
        let _ = fchmod(&self.0, Mode::RWXU);
        for name in self.names()?.collect::<io::Result<Vec<_>>>()? {
            self.remove(&name)?;
        }
        Ok(())
    }
}

impl From<OwnedFd> for Directory {
    fn from(open: OwnedFd) -> Self {
        Self(open)
    }
}

/// The lowest nine bits. (How wide a mode is differs from system to system.)
pub(crate) fn permissions(mode: u32) -> Mode {
    Mode::from_raw_mode((mode & 0o777) as RawMode)
}

/// A single plain name; anything else would not be an entry of the directory.
pub(crate) fn plain(name: &[u8]) -> io::Result<&[u8]> {
    match Inside::top().join(name) {
        Ok(_) => Ok(name),
        Err(error) => Err(io::Error::new(io::ErrorKind::InvalidInput, error)),
    }
}

impl From<FileType> for FileKind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Link,
            _ => Self::Special,
        }
    }
}

// The types of these fields differ from system to system.
#[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
impl From<&Stat> for FileStat {
    fn from(stat: &Stat) -> Self {
        Self {
            kind: FileType::from_raw_mode(stat.st_mode).into(),
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            mode: u32::from(stat.st_mode) & 0o777,
            owner: (stat.st_uid, stat.st_gid),
            inode: stat.st_ino as u64,
            device: stat.st_dev as u64,
            modified: stat.st_mtime as i64,
            changed: (stat.st_ctime as i64, u32::try_from(stat.st_ctime_nsec).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests;
