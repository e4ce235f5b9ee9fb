//! The session's own directory on this machine: the env file, and the authority of the API server.

use std::path::{Path, PathBuf};

use towline_wire::SessionId;

use super::error::SessionError;
use crate::journal::make_private_directory;

/// A directory that only this user may enter; removed with all that is in it by [`Self::remove`].
#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    /// Makes it, under `$XDG_RUNTIME_DIR` or else the directory for temporary files.
    pub(super) fn make(session: &SessionId) -> Result<Self, SessionError> {
        // The base too: this fails where it is another user's.
        let path = base().join(session.as_str());
        let made = make_private_directory(&base()).and_then(|()| make_private_directory(&path));
        made.map(|()| Self(path.clone())).map_err(|source| SessionError::File { path, source })
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn env_file(&self) -> PathBuf {
        self.0.join("environment.env")
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, SessionError> {
        let path = self.0.join(name);
        let written = std::fs::write(&path, bytes);
        written.map(|()| path.clone()).map_err(|source| SessionError::File { path, source })
    }

    pub(super) fn remove(&self) {
        if let Err(error) = towline_beneath::wipe(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "the session's directory stays");
        }
    }
}

fn base() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    if let Some(runtime) = runtime.filter(|path| path.is_absolute() && path.is_dir()) {
        return runtime.join("towline");
    }
    // The name holds the user's, so that users of one machine do not meet in it.
    let user = std::env::var("USER")
        .ok()
        .filter(|user| user.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
    std::env::temp_dir().join(format!("towline-{}", user.unwrap_or_else(|| "user".to_owned())))
}
