//! Writing the env file where the user wants it: private, whole or not at all, and never over somebody else's file.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::{Environment, dotenv};
use crate::report::{Code, Explain, Report, causes};
use crate::settings::write_private;

/// The env file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
    /// Something is there that Towline has not written.
    #[error("the env file is not written to {}: there is a file that Towline did not write", .0.display())]
    NotOurs(PathBuf),
    /// A directory, a device, a pipe.
    #[error("the env file is not written to {}: that is no regular file", .0.display())]
    NotAFile(PathBuf),
    /// The system refuses.
    #[error("cannot write the env file {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Explain for EnvFileError {
    fn explain(&self) -> Report {
        let hint = match self {
            Self::NotOurs(_) => {
                "name another file with --env-file, or remove that one first".to_owned()
            }
            Self::NotAFile(_) => "name a file with --env-file".to_owned(),
            Self::Write { path, .. } => {
                format!(
                    "see that {} exists and is yours, or name another file with --env-file",
                    parent(path).display()
                )
            }
        };
        let why =
            std::error::Error::source(self).map(|source| format!(": {source}")).unwrap_or_default();
        Report {
            code: Code::Input,
            message: format!("{self}{why}"),
            hint: Some(hint),
            detail: causes(self),
        }
    }
}

/// Checks that [`write_env_file`] would be allowed to write `path`, and changes nothing.
///
/// # Errors
/// When a file is there that is neither empty nor Towline's, or the directory is missing.
pub fn check_env_file(path: &Path) -> Result<(), EnvFileError> {
    let failed = |source| EnvFileError::Write { path: path.to_owned(), source };
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(EnvFileError::NotAFile(path.to_owned())),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return fs::metadata(parent(path)).map(drop).map_err(failed);
        }
        Err(error) => return Err(failed(error)),
    }
    let file = File::open(path).map_err(failed)?;
    let mut start = Vec::new();
    file.take(dotenv::MARKER.len() as u64).read_to_end(&mut start).map_err(failed)?;
    if start.is_empty() || start == dotenv::MARKER {
        return Ok(());
    }
    Err(EnvFileError::NotOurs(path.to_owned()))
}

/// Writes `environment` to `path` as [`dotenv`], readable by the user only. A reader sees the old file or the whole new one.
///
/// # Errors
/// As [`check_env_file`]; or when the system refuses.
pub fn write_env_file(path: &Path, environment: &Environment) -> Result<(), EnvFileError> {
    check_env_file(path)?;
    let failed = |source| EnvFileError::Write { path: path.to_owned(), source };
    // A link is followed, so that the file it names is written and the link stays.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    // tempfile makes it 0600 and under a name that nobody can have put there before.
    let mut temporary = tempfile::NamedTempFile::new_in(parent(&target)).map_err(failed)?;
    temporary.write_all(&dotenv::write(environment)).map_err(failed)?;
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(&target).map(drop).map_err(|error| failed(error.error))
}

/// The name of the file in a session's private directory that other programs of this user read, `towline env` among them.
const KEPT: &str = "environment.json";

impl Environment {
    /// Writes it whole, origins and all, into a session's private directory, readable by the user only.
    pub(crate) fn keep(&self, directory: &Path) -> Result<(), EnvFileError> {
        let path = directory.join(KEPT);
        let bytes = serde_json::to_vec(self).expect("plain values with text keys are always JSON");
        write_private(&path, &bytes).map_err(|source| EnvFileError::Write { path, source })
    }

    /// Reads what a running session of this user has; `None` where it has none yet.
    ///
    /// # Errors
    /// When the file is there and cannot be read or understood.
    pub fn of_session(directory: &Path) -> io::Result<Option<Self>> {
        match fs::read(directory.join(KEPT)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::environment::{EnvironmentVariable, Origin};

    fn environment(value: &str) -> Environment {
        let value = value.as_bytes().to_vec().into();
        let origin = Origin::Literal;
        let name = "A".to_owned();
        Environment {
            variables: vec![EnvironmentVariable {
                name,
                value,
                origin,
                cluster_value: None,
                stays_local: false,
            }],
        }
    }

    #[test]
    fn new_empty_and_own_files_are_written_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("env");
        for (before, value) in [(None, "1"), (None, "2"), (Some(""), "3")] {
            if let Some(before) = before {
                fs::write(&path, before).unwrap();
                fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
            }
            write_env_file(&path, &environment(value)).unwrap();
            assert!(fs::read_to_string(&path).unwrap().ends_with(&format!("\nA={value}\n")));
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "nothing else is left there");
    }

    #[test]
    fn what_is_kept_for_other_programs_comes_back_and_is_private() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Environment::of_session(directory.path()).unwrap(), None);
        environment("a\nb").keep(directory.path()).unwrap();
        assert_eq!(Environment::of_session(directory.path()).unwrap(), Some(environment("a\nb")));
        let mode = fs::metadata(directory.path().join(KEPT)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn others_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".env");
        fs::write(&path, "MINE=1\n").unwrap();
        let error = write_env_file(&path, &environment("1")).unwrap_err();
        assert!(matches!(&error, EnvFileError::NotOurs(_)), "{error}");
        assert_eq!(error.explain().code, Code::Input);
        assert_eq!(fs::read_to_string(&path).unwrap(), "MINE=1\n");
        assert!(matches!(
            write_env_file(directory.path(), &environment("1")),
            Err(EnvFileError::NotAFile(_))
        ));
        let missing = directory.path().join("no/such/env");
        assert!(matches!(check_env_file(&missing), Err(EnvFileError::Write { .. })));
    }

    #[test]
    fn a_link_stays_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("target"), directory.path().join("link"));
        fs::write(&target, "").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write_env_file(&link, &environment("1")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&target).unwrap().ends_with("A=1\n"));
    }
}
