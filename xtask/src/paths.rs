//! Where things are on this machine.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// `$HOME/.cache/towline`: what is costly to make and belongs to no checkout.
pub(crate) fn cache() -> Result<PathBuf> {
    let home = env::var_os("HOME")
        .context("HOME is not set, so there is no place for the cache; set it and try again")?;
    Ok(Path::new(&home).join(".cache/towline"))
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root().join(directory),
        None => root().join("target"),
    }
}
