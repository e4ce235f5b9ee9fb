//! Finding the project file of the directory that a command is run in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::ProjectError;

/// The names that a project file can have, in the order in which they are looked for in one directory.
pub const NAMES: [&str; 4] = [
    "towline.yaml",
    "towline.yml",
    "KubernetesLocalProcessConfig.yaml",
    "KubernetesLocalProcessConfig.yml",
];

/// The nearest project file in `from` or above it. The look ends at the root of a repository (what holds `.git`), at `home`, and at the root of the
/// file system, each of which is still looked at.
///
/// # Errors
/// When the nearest file is another user's: a directory above may be one that everybody can write, and the file says what to run.
pub fn discover(from: &Path, home: Option<&Path>) -> Result<Option<PathBuf>, ProjectError> {
    for directory in from.ancestors() {
        let found = NAMES.iter().map(|name| directory.join(name)).find(|file| file.is_file());
        if let Some(file) = found {
            return if is_trusted(&file) {
                Ok(Some(file))
            } else {
                Err(ProjectError::AnothersFile(file))
            };
        }
        if directory.join(".git").exists() || home == Some(directory) {
            break;
        }
    }
    Ok(None)
}

/// Whether it is this user's or the administrator's.
#[cfg(unix)]
fn is_trusted(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let own = rustix::process::getuid().as_raw();
    fs::metadata(file).is_ok_and(|metadata| metadata.uid() == own || metadata.uid() == 0)
}

#[cfg(not(unix))]
fn is_trusted(file: &Path) -> bool {
    fs::metadata(file).is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_up_to_the_repositorys_root() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path();
        fs::create_dir_all(top.join("repository/.git")).unwrap();
        fs::create_dir_all(top.join("repository/a/b")).unwrap();
        let from = top.join("repository/a/b");
        fs::write(top.join("towline.yaml"), "").unwrap();
        assert_eq!(discover(&from, None).unwrap(), None, "above the repository");
        fs::write(top.join("repository/KubernetesLocalProcessConfig.yaml"), "").unwrap();
        assert_eq!(discover(&from, None).unwrap(), Some(top.join("repository").join(NAMES[2])));
        fs::write(top.join("repository/towline.yml"), "").unwrap();
        assert_eq!(discover(&from, None).unwrap(), Some(top.join("repository/towline.yml")));
        assert_eq!(
            discover(&from, Some(&top.join("repository/a"))).unwrap(),
            None,
            "above the home"
        );
        fs::write(from.join("towline.yaml"), "").unwrap();
        assert_eq!(discover(&from, None).unwrap(), Some(from.join("towline.yaml")));
    }

    #[cfg(unix)]
    #[test]
    fn another_users_file_is_not_used_unasked() {
        if !rustix::process::getuid().is_root() {
            return;
        }
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("towline.yaml");
        fs::write(&file, "").unwrap();
        std::os::unix::fs::chown(&file, Some(65534), None).unwrap();
        let refused = discover(top.path(), None).unwrap_err();
        assert!(refused.to_string().contains("another user"), "{refused}");
    }
}
