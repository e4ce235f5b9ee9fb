//! The file that is written now, and those before it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use same_file::Handle;

/// The size at which a new file is begun, and how many old ones are kept: about 20 MB in all.
pub(super) const SIZE: u64 = 4 * 1024 * 1024;
pub(super) const OLD_FILES: u32 = 4;

/// A log that several processes write at once: `NAME`, and before it `NAME.1` to `NAME.4`. Shared by all threads.
///
/// Each write is one event, and becomes one append, which the system does not mix with another process's; it begins with the number of the process.
/// Whoever finds the file large enough renames it, under a lock on `NAME.lock` that nobody waits for: if another process has it, that one does the
/// work. A process whose file was renamed, or removed, opens the new one with its next event.
///
/// Writing never fails: a program goes on without its log. What was lost for want of room or rights is counted, and said with the next event that can
/// be written.
#[derive(Clone, Debug)]
pub struct LogFiles(Arc<Mutex<Log>>);

#[derive(Debug)]
struct Log {
    path: PathBuf,
    size: u64,
    old_files: u32,
    /// None: it could not be opened.
    file: Option<Handle>,
    lost: Lost,
}

/// What could not be written.
#[derive(Debug, Default)]
struct Lost {
    events: u64,
    why: String,
    /// The last line has no end.
    in_a_line: bool,
}

impl LogFiles {
    /// Opens `name` in the directory, and makes both where they are not there.
    ///
    /// # Errors
    /// When the directory cannot be made or is not this user's, or the file cannot be written.
    pub fn open(directory: &Path, name: &str) -> io::Result<Self> {
        Self::with_limits(directory, name, SIZE, OLD_FILES)
    }

    pub(super) fn with_limits(
        directory: &Path,
        name: &str,
        size: u64,
        old_files: u32,
    ) -> io::Result<Self> {
        let path = directory.join(name);
        let file = Some(open(&path)?);
        let log = Log { path, size, old_files, file, lost: Lost::default() };
        Ok(Self(Arc::new(Mutex::new(log))))
    }
}

impl Write for LogFiles {
    /// Takes the whole of it, as one event.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(event);
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn append(&mut self, event: &[u8]) {
        let mut line = Vec::with_capacity(event.len() + 16);
        self.lost.tell(&mut line);
        line.extend_from_slice(format!("[{}] ", std::process::id()).as_bytes());
        line.extend_from_slice(event);
        match self.write(&line) {
            Ok(written) if written == line.len() => self.lost = Lost::default(),
            Ok(written) => {
                let in_a_line = written > 0 || self.lost.in_a_line;
                self.lost.add("no room", in_a_line);
            }
            Err(error) => {
                let in_a_line = self.lost.in_a_line;
                self.lost.add(&error.to_string(), in_a_line);
            }
        }
    }

    /// How much of it was written.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let current = Handle::from_path(&self.path).ok();
        let mut handle = match self.file.take() {
            Some(own) if current.as_ref() == Some(&own) => own,
            _ => open(&self.path)?,
        };
        let file = handle.as_file_mut();
        let written = file.write(line)?;
        if file.metadata()?.len() > self.size {
            // The line is written, whatever comes of this; the next event tries it again.
            let _ = self.begin_anew();
        }
        self.file = Some(handle);
        Ok(written)
    }

    /// Renames the file and its predecessors, the oldest of which goes, if no other process is at it or has done it.
    fn begin_anew(&self) -> io::Result<()> {
        let lock = appending(&with_end(&self.path, "lock"))?;
        if lock.try_lock().is_err() || fs::metadata(&self.path)?.len() <= self.size {
            return Ok(());
        }
        for number in (0..self.old_files).rev() {
            let from = if number == 0 { self.path.clone() } else { old(&self.path, number) };
            match fs::rename(from, old(&self.path, number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Lost {
    fn add(&mut self, why: &str, in_a_line: bool) {
        self.events += 1;
        why.clone_into(&mut self.why);
        self.in_a_line = in_a_line;
    }

    fn tell(&self, line: &mut Vec<u8>) {
        if self.in_a_line {
            line.push(b'\n');
        }
        if self.events > 0 {
            let said = format!(
                "[{}] {} events before this could not be written: {}\n",
                std::process::id(),
                self.events,
                self.why
            );
            line.extend_from_slice(said.as_bytes());
        }
    }
}

/// The file before, counted backwards.
pub(super) fn old(path: &Path, number: u32) -> PathBuf {
    with_end(path, &number.to_string())
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}.{end}", path.display()))
}

fn open(path: &Path) -> io::Result<Handle> {
    if let Some(directory) = path.parent() {
        super::make_private(directory)?;
    }
    Handle::from_file(appending(path)?)
}

fn appending(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
