//! What building the desktop application needs of the system: WebKitGTK and what goes with it.

use anyhow::Result;

use crate::{progress::step, sandbox::packages};

/// Debian's packages for Tauri 2 on Linux.
const PACKAGES: &[&str] =
    &["build-essential", "libgtk-3-dev", "libwebkit2gtk-4.1-dev", "pkg-config"];

/// Installs what is missing. Whatever compiles the whole workspace needs it.
pub(crate) fn ensure() -> Result<()> {
    if packages::are_installed(PACKAGES)? {
        return Ok(());
    }
    step("WebKitGTK", || packages::ensure(PACKAGES))
}
