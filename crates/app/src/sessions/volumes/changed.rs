//! Which files of a copy are not as they came.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use jiff::Timestamp;

/// How many entries are looked at, and how many files are told.
const LOOKED_AT: usize = 20_000;
const TOLD: usize = 1_000;

/// The files below `root` that were changed after `came`, or after they were written back, by their paths in it. Links are not followed; names that are
/// no UTF-8 are left out.
pub(super) fn files(
    root: &Path,
    came: Timestamp,
    written: &BTreeMap<String, Timestamp>,
) -> io::Result<Vec<String>> {
    let (mut found, mut seen) = (Vec::new(), 0);
    let mut directories = vec![String::new()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(root.join(&directory))? {
            let entry = entry?;
            seen += 1;
            if seen > LOOKED_AT || found.len() == TOLD {
                return Ok(found);
            }
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            // Of the entry itself, not of what a link leads to.
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                directories.push(path);
            } else if metadata.is_file()
                && touched(&metadata)? > *written.get(&path).unwrap_or(&came)
            {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// When anything of the file was changed: its content may be given an old time.
#[cfg(unix)]
fn touched(metadata: &std::fs::Metadata) -> io::Result<Timestamp> {
    use std::os::unix::fs::MetadataExt;
    let nanoseconds = i32::try_from(metadata.ctime_nsec()).unwrap_or_default();
    Timestamp::new(metadata.ctime(), nanoseconds).map_err(io::Error::other)
}

#[cfg(not(unix))]
fn touched(metadata: &std::fs::Metadata) -> io::Result<Timestamp> {
    Timestamp::try_from(metadata.modified()?).map_err(io::Error::other)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_here_is_told() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str| std::fs::write(root.path().join(path), "x").unwrap();
        std::fs::create_dir(root.path().join("sub")).unwrap();
        write("as-it-came");
        // The clock of files is a coarse one.
        let before = Timestamp::now().checked_add(jiff::SignedDuration::from_millis(-50)).unwrap();
        let old = Timestamp::UNIX_EPOCH;
        write("sub/new");
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("link")).unwrap();
        let far = Timestamp::now().checked_add(jiff::SignedDuration::from_secs(60)).unwrap();
        let none = BTreeMap::new();
        assert_eq!(files(root.path(), old, &none).unwrap(), ["as-it-came", "sub/new"]);
        assert!(files(root.path(), far, &none).unwrap().is_empty());
        assert!(files(root.path(), before, &none).unwrap().contains(&"sub/new".to_owned()));
        let written = BTreeMap::from([("sub/new".to_owned(), far)]);
        assert_eq!(files(root.path(), old, &written).unwrap(), ["as-it-came"]);
    }
}
