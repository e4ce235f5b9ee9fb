//! A test's directory, and what is done about those that killed runs have left.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// Says whose a directory is: the test's process, and when it began, because numbers come again.
const OWNER: &str = "owner";

/// Makes a directory whose name begins with `prefix`, after those of that prefix are removed whose test is no more. `end` gets each of those first, to end what
/// still uses it.
///
/// # Errors
///
/// When none can be made.
pub fn own_directory(prefix: &str, end: impl Fn(&Path)) -> Result<TempDir> {
    for left in left_behind(&std::env::temp_dir(), prefix) {
        end(&left);
        // Another test of this run may be at it too.
        let _ = fs::remove_dir_all(left);
    }
    let directory = tempfile::Builder::new().prefix(prefix).tempdir()?;
    let id = std::process::id();
    let owner = format!("{id} {}", began(id).context("this process has no beginning")?);
    fs::write(directory.path().join(OWNER), owner)?;
    Ok(directory)
}

/// The directories whose owner is no more. One without an owner is being made at this moment, or is nobody's that we know.
fn left_behind(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    ours.map(|entry| entry.path()).filter(|path| is_over(path)).collect()
}

fn is_over(directory: &Path) -> bool {
    let Ok(owner) = fs::read_to_string(directory.join(OWNER)) else { return false };
    let Some((id, start)) = owner.split_once(' ') else { return false };
    id.parse().is_ok_and(|id| began(id).is_none_or(|began| began != start))
}

/// When a process began that still runs, in ticks since the system's start (proc_pid_stat(5), field 22). One that nobody has waited for does not run.
fn began(id: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(19).filter(|_| !rest.starts_with('Z')).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PREFIX: &str = "towline-";

    #[test]
    fn what_a_killed_run_has_left_is_known() {
        let parent = tempfile::tempdir().unwrap();
        let directory = |name: &str, owner: Option<String>| {
            let path = parent.path().join(format!("{PREFIX}{name}"));
            fs::create_dir(&path).unwrap();
            if let Some(owner) = owner {
                fs::write(path.join(OWNER), owner).unwrap();
            }
            path
        };
        let me = std::process::id();
        directory("mine", Some(format!("{me} {}", began(me).unwrap())));
        directory("unknown", None);
        let before = directory("another-of-my-number", Some(format!("{me} 1")));
        let gone = directory("gone", Some("4194305 77".to_owned()));
        fs::create_dir(parent.path().join("something-else")).unwrap();
        let mut left = left_behind(parent.path(), PREFIX);
        left.sort();
        assert_eq!(left, [before, gone]);
    }
}
