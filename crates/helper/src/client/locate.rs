//! Where the helper's program is.

use std::env;
use std::path::{Path, PathBuf};

use super::HelperError;

/// Where packages put it: programs that other programs start. On Windows all are in one directory.
const INSTALLED: &[&str] =
    if cfg!(windows) { &[] } else { &["/usr/lib/towline", "/usr/libexec/towline"] };

/// The helper's program: beside the running one, else where the package puts it.
///
/// # Errors
///
/// When it is at none of these places.
pub fn program() -> Result<PathBuf, HelperError> {
    let own = env::current_exe().ok();
    // Windows' prompt does not take the form that this has there.
    let own = own.and_then(|own| if cfg!(windows) { Some(own) } else { own.canonicalize().ok() });
    let beside = own.as_deref().and_then(Path::parent).map(Path::to_owned);
    let name = format!("towline-helper{}", env::consts::EXE_SUFFIX);
    let tried: Vec<PathBuf> = beside
        .into_iter()
        .chain(INSTALLED.iter().map(PathBuf::from))
        .map(|directory| directory.join(&name))
        .collect();
    match tried.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => Err(HelperError::NotInstalled { tried }),
    }
}
