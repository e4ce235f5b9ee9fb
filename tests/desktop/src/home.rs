//! A desktop's directory, and what is done about those that killed runs have left.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::process;

/// How the directories begin.
const PREFIX: &str = "towline-desktop-";

/// Says whose a directory is: the test's process, and when it began, because numbers come again.
const OWNER: &str = "owner";

/// Makes a directory for a desktop, after those are removed whose test is no more.
pub(crate) fn make() -> Result<TempDir> {
    let parent = std::env::temp_dir();
    for left in left_behind(&parent) {
        for id in process::of_desktop(&left.display().to_string()) {
            // It may have ended by itself.
            let _ = process::signal(id, "KILL");
        }
        // Another test of this run may be at it too.
        let _ = fs::remove_dir_all(left);
    }
    let home = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
    let id = std::process::id();
    let owner = format!("{id} {}", began(id).context("this process has no beginning")?);
    fs::write(home.path().join(OWNER), owner)?;
    Ok(home)
}

/// The directories whose owner is no more. One without an owner is being made at this moment, or is nobody's that we know.
fn left_behind(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    ours.map(|entry| entry.path()).filter(|path| is_over(path)).collect()
}

fn is_over(home: &Path) -> bool {
    let Ok(owner) = fs::read_to_string(home.join(OWNER)) else { return false };
    let Some((id, start)) = owner.split_once(' ') else { return false };
    id.parse().is_ok_and(|id| began(id).is_none_or(|began| began != start) || !process::runs(id))
}

/// When a process began, in ticks since the system's start (proc_pid_stat(5), field 22).
fn began(id: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(19).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_has_left_is_known() {
        let parent = tempfile::tempdir().unwrap();
        let home = |name: &str, owner: Option<String>| {
            let path = parent.path().join(format!("{PREFIX}{name}"));
            fs::create_dir(&path).unwrap();
            if let Some(owner) = owner {
                fs::write(path.join(OWNER), owner).unwrap();
            }
            path
        };
        let me = std::process::id();
        home("mine", Some(format!("{me} {}", began(me).unwrap())));
        home("unknown", None);
        let before = home("another-of-my-number", Some(format!("{me} 1")));
        let gone = home("gone", Some("4194305 77".to_owned()));
        fs::create_dir(parent.path().join("something-else")).unwrap();
        let mut left = left_behind(parent.path());
        left.sort();
        assert_eq!(left, [before, gone]);
    }
}
