//! The user's program, before it is started: whether there is such a command.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::report::{Code, Explain, Report};

/// The command cannot be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// No file of that name is where commands are looked for.
    #[error("cannot start {}: there is no such command", .0.display())]
    NotFound(PathBuf),
    /// There is one, and it cannot be run.
    #[error("cannot start {}: {} is no program", .name.display(), .file.display())]
    NotExecutable {
        /// As it was named.
        name: PathBuf,
        /// What was found.
        file: PathBuf,
    },
}

impl Explain for ProgramError {
    fn explain(&self) -> Report {
        let hint = match self {
            Self::NotFound(_) => "check its name and PATH; nothing has been changed in the cluster",
            Self::NotExecutable { .. } => {
                "make it executable, or name its interpreter first, such as: -- python3 orders.py"
            }
        };
        let (message, hint) = (self.to_string(), Some(hint.to_owned()));
        Report { code: Code::Program, message, hint, detail: None }
    }
}

/// Finds the file that `name` would start: as a path (from `directory`, where it is relative) if there is a slash in it, else in the directories of
/// `path`, as a shell does it.
///
/// # Errors
///
/// When there is none, or it is no program.
pub fn find(name: &OsStr, path: &OsStr, directory: &Path) -> Result<PathBuf, ProgramError> {
    let is_path = Path::new(name).components().count() > 1 || Path::new(name).is_absolute();
    let candidates: Vec<PathBuf> = if is_path {
        vec![directory.join(name)]
    } else {
        let places = std::env::split_paths(path);
        // An empty entry means the working directory (XBD 8.3).
        places.map(|place| directory.join(place).join(name)).collect()
    };
    if let Some(found) = candidates.iter().find(|file| is_executable(file)) {
        return Ok(found.clone());
    }
    let name = PathBuf::from(OsString::from(name));
    match candidates.into_iter().find(|file| file.exists()) {
        Some(file) => Err(ProgramError::NotExecutable { name, file }),
        None => Err(ProgramError::NotFound(name)),
    }
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_command_is_looked_for_as_a_shell_does_it() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        let (program, data) = (here.join("bin/run"), here.join("bin/data"));
        std::fs::create_dir(here.join("bin")).unwrap();
        for (file, mode) in [(&program, 0o755), (&data, 0o644)] {
            std::fs::write(file, "").unwrap();
            std::fs::set_permissions(file, PermissionsExt::from_mode(mode)).unwrap();
        }
        let path = std::env::join_paths([here.join("none"), here.join("bin")]).unwrap();
        let find = |name: &str| super::find(OsStr::new(name), &path, here);
        assert_eq!(find("run").unwrap(), program);
        assert_eq!(find("./bin/run").unwrap(), here.join("./bin/run"));
        assert_eq!(find(program.to_str().unwrap()).unwrap(), program);
        assert!(matches!(find("data"), Err(ProgramError::NotExecutable { .. })));
        assert!(matches!(find("bin"), Err(ProgramError::NotFound(_))));
        assert!(matches!(
            find("./bin"),
            Err(ProgramError::NotFound(_) | ProgramError::NotExecutable { .. })
        ));
        assert_eq!(find("nothing").unwrap_err().explain().code, Code::Program);
    }
}
