//! The log files: `towline.log` and its predecessors, bounded in size and number, for this user's eyes only. What is written can be changed while
//! it runs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use tokio::sync::watch;
use towline_core::report::Code;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt, reload};

use crate::directories::Directories;
use crate::report::failure;
use crate::view::{LogLevel, Preferences, Report};

const NAME: &str = "towline.log";

/// The size at which a new file is begun, and how many old ones are kept: 20 MB in all.
const SIZE: usize = 4 * 1024 * 1024;
const OLD_FILES: usize = 4;

/// How far back the end of a log is looked for.
const TAIL: u64 = 256 * 1024;

/// Changes what is written.
#[derive(Clone, Debug)]
pub struct LogHandle {
    filter: reload::Handle<EnvFilter, Registry>,
}

/// Begins to write what the program does to the log files. Call it first, and once: there is one log a process.
///
/// # Errors
/// When the directory cannot be made or the file not be written. The program can go on without.
pub fn init_logging(directories: &Directories, level: LogLevel) -> Result<LogHandle, Report> {
    let failed = |error: io::Error| {
        let message =
            format!("The log files in {} cannot be written: {error}.", directories.logs.display());
        let hint = "Make the directory writable for yourself, or make room on its disk.";
        failure(Code::Input, message, Some(hint))
    };
    let files = LogFiles::open(&directories.logs).map_err(failed)?;
    let (filter, handle) = reload::Layer::new(filter(level));
    let lines = fmt::layer().with_ansi(false).with_writer(move || files.clone());
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()
        .map_err(|error| failed(io::Error::other(error)))?;
    Ok(LogHandle { filter: handle })
}

impl LogHandle {
    /// Writes this much from now on.
    pub fn set(&self, level: LogLevel) {
        if let Err(error) = self.filter.reload(filter(level)) {
            tracing::warn!(%error, "the log's level");
        }
    }

    /// Writes as much as the settings say, also when they change. Needs to be called within a tokio runtime.
    pub fn follow(&self, mut settings: watch::Receiver<Preferences>) {
        let this = self.clone();
        this.set(settings.borrow_and_update().log_level);
        tokio::spawn(async move {
            while settings.changed().await.is_ok() {
                this.set(settings.borrow_and_update().log_level);
            }
        });
    }
}

/// Towline itself as the user wants it. What is below tells of requests and their headers when it tells much, so that never says more than what
/// went wrong.
fn filter(level: LogLevel) -> EnvFilter {
    let level = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let directives = ["towline", "towline_app", "towline_core", "towline_wire", "towline_workload"]
        .map(|name| format!("{name}={level}"))
        .join(",");
    let below = if level == "error" { "error" } else { "warn" };
    EnvFilter::builder().parse_lossy(format!("{below},{directives}"))
}

/// The files, shared by all threads.
#[derive(Clone)]
struct LogFiles(Arc<Mutex<FileRotate<AppendCount>>>);

impl LogFiles {
    fn open(directory: &Path) -> io::Result<Self> {
        make_private(directory)?;
        let mut options = OpenOptions::new();
        options.read(true).create(true).append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let path = directory.join(NAME);
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
pub(super) fn last_lines(directory: &Path, count: usize) -> Vec<String> {
    let current = directory.join(NAME);
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
        let mut files = LogFiles::open(&directory).unwrap();
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
        let last = last_lines(&directory, 200);
        assert_eq!(last.len(), 200);
        assert_eq!(last.last().unwrap(), "the last");
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_that_is_a_link_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let link = home.path().join("Towline");
        std::os::unix::fs::symlink(home.path(), &link).unwrap();
        let refused = LogFiles::open(&link).map(drop).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn what_is_below_never_says_more_than_warnings() {
        let text = filter(LogLevel::Trace).to_string();
        assert!(text.contains("towline_core=trace") && text.contains("warn"), "{text}");
        assert!(!text.contains("kube"), "{text}");
    }
}
