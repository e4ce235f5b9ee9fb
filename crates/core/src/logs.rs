//! Log files: bounded in size and number, for this user's eyes only, in `Towline` below the directory for temporary files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};

/// The size at which a new file is begun, and how many old ones are kept: 20 MB in all.
const SIZE: usize = 4 * 1024 * 1024;
const OLD_FILES: usize = 4;

/// How far back the end of a log is looked for.
const TAIL: u64 = 256 * 1024;

/// Where they are.
pub fn directory() -> PathBuf {
    std::env::temp_dir().join("Towline")
}

/// The files, shared by all threads.
#[derive(Clone)]
pub struct LogFiles(Arc<Mutex<FileRotate<AppendCount>>>);

impl LogFiles {
    /// Opens `name` in the directory, and makes both where they are not there.
    ///
    /// # Errors
    /// When the directory cannot be made or is not this user's, or the file cannot be written.
    pub fn open(directory: &Path, name: &str) -> io::Result<Self> {
        make_private(directory)?;
        let mut options = OpenOptions::new();
        options.read(true).create(true).append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let path = directory.join(name);
        // The rotation opens files without saying when that fails, so it is tried here.
        options.open(&path)?;
        let files = FileRotate::new(
            path,
            AppendCount::new(OLD_FILES),
            ContentLimit::BytesSurpassed(SIZE),
            Compression::None,
            Some(options),
        );
        Ok(Self(Arc::new(Mutex::new(files))))
    }
}

impl std::fmt::Debug for LogFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogFiles").finish_non_exhaustive()
    }
}

impl Write for LogFiles {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

/// Makes the directory, or sees that it is this user's and nobody else's: the directory for temporary files is everybody's, and somebody may have
/// put theirs there first.
fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
        builder.mode(0o700).create(directory)?;
        let found = fs::symlink_metadata(directory)?;
        if !found.is_dir() || found.uid() != nix::unistd::Uid::effective().as_raw() {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "it belongs to somebody else",
            ));
        }
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
    }
    #[cfg(not(unix))]
    builder.create(directory)
}

/// The last lines of the log; of the file before, too, where the newest has few.
pub fn last_lines(directory: &Path, name: &str, count: usize) -> Vec<String> {
    let current = directory.join(name);
    let mut lines = tail(&current);
    if lines.len() < count {
        let mut older = tail(&PathBuf::from(format!("{}.1", current.display())));
        older.append(&mut lines);
        lines = older;
    }
    lines.split_off(lines.len().saturating_sub(count))
}

fn tail(file: &Path) -> Vec<String> {
    let read = || -> io::Result<String> {
        let mut file = File::open(file)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_default().lines().map(str::to_owned).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn files_are_private_bounded_and_their_end_is_found() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("Towline");
        let mut files = LogFiles::open(&directory, "towline.log").unwrap();
        let line = format!("{}\n", "x".repeat(99));
        for _ in 0..(SIZE / 100) * (OLD_FILES + 3) {
            files.write_all(line.as_bytes()).unwrap();
        }
        files.write_all(b"the last\n").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        let entries: Vec<PathBuf> =
            fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(entries.len(), OLD_FILES + 1, "{entries:?}");
        for entry in &entries {
            assert_eq!(mode(entry), 0o600, "{entry:?}");
            assert!(fs::metadata(entry).unwrap().len() <= SIZE as u64 + 100);
        }
        let last = last_lines(&directory, "towline.log", 200);
        assert_eq!(last.len(), 200);
        assert_eq!(last.last().unwrap(), "the last");
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_that_is_a_link_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let link = home.path().join("Towline");
        std::os::unix::fs::symlink(home.path(), &link).unwrap();
        let refused = LogFiles::open(&link, "towline.log").map(drop).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
    }
}
