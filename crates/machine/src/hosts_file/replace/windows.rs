//! Files as Windows has them. Never run.
//!
//! The file is always written in place: a new one would lose the old one's access list (only `ReplaceFileW` keeps it, which no safe library has), and a
//! hosts file that is replaced alarms antivirus programs more than one that is written.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::super::HostsFileError;
use super::{Current, Outcome, Sort};

/// How long a file that another program keeps to itself is waited for: antivirus programs look into each one that was written.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(50);

/// Another program has the file, or a part of it, to itself (winerror.h).
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_LOCK_VIOLATION: i32 = 33;

/// `CreateFileW`: a link is opened itself, and not what it leads to.
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

/// A file, and what was known of it when it was opened.
pub(super) struct Seen {
    file: File,
    metadata: Metadata,
}

impl Seen {
    /// Opens the file to read it. No link is followed.
    pub(super) fn open(path: &Path) -> Result<Self, HostsFileError> {
        let failed = |source: io::Error| match source.kind() {
            ErrorKind::NotFound => HostsFileError::Missing { path: path.to_owned() },
            _ => HostsFileError::Read { path: path.to_owned(), source },
        };
        let file = open(path, OpenOptions::new().read(true)).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_symlink() {
            return Err(HostsFileError::Link { path: path.to_owned() });
        }
        if !metadata.is_file() {
            return Err(HostsFileError::NotAFile { path: path.to_owned() });
        }
        Ok(Self { file, metadata })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Whether the file is still there, unchanged.
    pub(super) fn is_still_at(&self, path: &Path) -> io::Result<bool> {
        let now = match open(path, OpenOptions::new().read(true)).and_then(|now| now.metadata()) {
            Ok(now) => now,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let identity = |of: &Metadata| {
            (of.file_attributes(), of.creation_time(), of.last_write_time(), of.file_size())
        };
        Ok(identity(&now) == identity(&self.metadata))
    }
}

/// Opens the lock's file, which is made if it is not there.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().read(true).write(true).create(true).truncate(false))
}

/// Opens the file to write in it. No link is followed.
pub(super) fn open_to_write(path: &Path) -> io::Result<File> {
    let file = open(path, OpenOptions::new().read(true).write(true))?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file any more"))
}

/// A new file. Who may read it is what its directory says.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().write(true).create_new(true))
}

/// Opens it, and waits a while for whoever has it to himself.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    let until = Instant::now() + PATIENCE;
    loop {
        match options.open(path) {
            Err(error) if is_kept(&error) && Instant::now() < until => sleep(PAUSE),
            other => return other,
        }
    }
}

fn is_kept(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(ERROR_SHARING_VIOLATION | ERROR_LOCK_VIOLATION))
}

/// Always nothing, which is: write it in place. See the module.
pub(super) fn replace(_: &Current<'_>, _: &[u8]) -> Result<Option<Outcome>, HostsFileError> {
    Ok(None)
}

/// Nothing is ever left beside the file.
pub(super) fn sweep(_: &Path) -> Result<(), HostsFileError> {
    Ok(())
}

pub(super) fn write_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

/// Room is not taken before: making the file longer would show its readers what is not written yet. A failure half-way puts the old bytes back.
pub(super) fn reserve(_: &File, _: usize) -> io::Result<()> {
    Ok(())
}

pub(super) fn sort(error: &io::Error) -> Sort {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Sort::Full,
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Sort::ReadOnly,
        _ if is_kept(error) => Sort::ReadOnly,
        _ => Sort::Other,
    }
}
