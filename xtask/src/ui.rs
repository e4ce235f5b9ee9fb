//! The window's own part, `ui/`: what it is checked with, and how it is built.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{agent::run, paths, progress::step, sandbox::packages};

/// The oldest Node that the tools run on, as `engines` in `ui/package.json` says.
const NODE: (u32, u32) = (20, 19);

/// The browser that the tests drive; its shell without a window is twice as fast.
const BROWSER: &[&str] = &["chromium", "chromium-headless-shell"];

/// Checks, unit tests, and the browser tests on the fake backend.
pub(crate) fn test() -> Result<()> {
    dependencies()?;
    step("types, lint, format", || npm("check"))?;
    step("unit tests", || npm("test"))?;
    step("build", || npm("build"))?;
    if !packages::are_installed(BROWSER)? {
        step("chromium", || packages::ensure(BROWSER))?;
    }
    step("browser tests", || npm("test:browser"))
}

/// Builds `ui/dist`, which the application carries inside itself.
pub(crate) fn build() -> Result<()> {
    dependencies()?;
    step("the window's page", || npm("build"))
}

fn directory() -> PathBuf {
    paths::root().join("ui")
}

/// Installs exactly what the lock file says, unless that is there already.
fn dependencies() -> Result<()> {
    node()?;
    let lock = directory().join("package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("read {}", lock.display()))?;
    let installed = directory().join("node_modules/.towline-installed");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step("Node's packages", || {
        let mut npm = Command::new("npm");
        npm.current_dir(directory()).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
        run(&mut npm, "install the packages of ui/package-lock.json")
    })?;
    // Last: what was not finished is done again.
    fs::write(&installed, wanted).with_context(|| format!("write {}", installed.display()))
}

fn npm(script: &str) -> Result<()> {
    let mut npm = Command::new("npm");
    npm.current_dir(directory()).args(["run", "--silent", script]);
    run(&mut npm, &format!("npm run {script}, in ui/"))
}

/// Debian 12's own Node is too old, so it cannot be installed by `apt-get`.
fn node() -> Result<()> {
    let (major, minor) = NODE;
    let advice = format!(
        "the window is built with Node {major}.{minor} or later, and npm; install them and try again"
    );
    let Ok(output) = Command::new("node").arg("--version").output() else {
        bail!("there is no `node`: {advice}");
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let version = said.trim();
    let mut numbers =
        version.trim_start_matches('v').split('.').map_while(|number| number.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(has), Some(and)) if (has, and) >= NODE => Ok(()),
        _ => bail!("`node` is {version}: {advice}"),
    }
}
