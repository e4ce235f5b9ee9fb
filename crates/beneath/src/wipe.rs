//! Removing a directory for good.

use std::io;
use std::path::Path;

use crate::Directory;

/// Removes the directory `path` and all that is in it: also what is read-only, and what a program has made unreadable. Links are removed, not
/// followed. Nothing there is no error.
///
/// # Errors
/// What the system answers. What could be removed is removed nevertheless, as far as it came.
pub fn wipe(path: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a directory in another one"));
    };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    match Directory::open(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        parent => parent?.remove(name.as_encoded_bytes()),
    }
}
