//! Log files: bounded in size and number, for this user's eyes only, in `Towline` below the directory for temporary files.
//!
//! Every process of a kind appends to the same file, each event in one write, so that lines stay whole and in order. Nobody waits for anybody: see
//! [`LogFiles`].

mod files;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

pub use self::files::LogFiles;

/// How far back the end of a log is looked for.
const TAIL: u64 = 256 * 1024;

/// Where they are: `Towline` below the directory for temporary files; where that is another user's, `Towline-` and this user's number.
pub fn directory() -> PathBuf {
    directory_below(&std::env::temp_dir())
}

fn directory_below(temporary: &Path) -> PathBuf {
    let usual = temporary.join("Towline");
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let user = nix::unistd::Uid::effective().as_raw();
        // A link of somebody else's is theirs, wherever it leads.
        if fs::symlink_metadata(&usual).is_ok_and(|found| found.uid() != user) {
            return temporary.join(format!("Towline-{user}"));
        }
    }
    usual
}

/// Tries whether a file of a few kilobytes can be written in a directory: there may be the right, and no room.
///
/// # Errors
/// When it cannot.
pub fn try_writing(directory: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(directory)?;
    file.write_all(&[0; 8192])?;
    file.sync_all()
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
        let mut older = tail(&files::old(&current, 1));
        older.append(&mut lines);
        lines = older;
    }
    lines.split_off(lines.len().saturating_sub(count))
}

fn tail(file: &Path) -> Vec<String> {
    let read = || -> io::Result<(String, bool)> {
        let mut file = File::open(file)?;
        let from = file.metadata()?.len().saturating_sub(TAIL);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok((String::from_utf8_lossy(&bytes).into_owned(), from > 0))
    };
    let (text, is_cut) = read().unwrap_or_default();
    // What is left of the first line may begin in the middle of what would have been redacted.
    text.lines().skip(usize::from(is_cut)).map(str::to_owned).collect()
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests;
