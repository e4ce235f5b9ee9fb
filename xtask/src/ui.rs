//! The window's own part, `ui/`: what it is checked with, and how it is built.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context, Result, bail};

use crate::{agent::run, paths, progress::step, sandbox::packages};

/// The oldest Node that the tools run on, as `engines` in `ui/package.json` says.
const NODE: (u32, u32) = (20, 19);

/// The browser that the tests drive; its shell without a window is twice as fast.
const BROWSER: &[&str] = &["chromium", "chromium-headless-shell"];

/// What lies in `ui/` and is no part of the page.
const NOT_THE_PAGE: [&str; 5] = ["node_modules", "dist", "dist-fake", "tests", "test-results"];

/// Checks, unit tests, and the browser tests on the fake backend.
pub(crate) fn test() -> Result<()> {
    dependencies()?;
    step("types, lint, format", || npm("check"))?;
    step("unit tests", || npm("test"))?;
    build()?;
    if !packages::are_installed(BROWSER)? {
        step("chromium", || packages::ensure(BROWSER))?;
    }
    step("browser tests", || npm("test:browser"))
}

/// Builds `ui/dist`, which the application carries inside itself. One that is newer than all that it is made of stays, and the application need not be
/// compiled again.
pub(crate) fn build() -> Result<()> {
    dependencies()?;
    let stamp = paths::target().join("page-built");
    let built = fs::metadata(&stamp).and_then(|stamp| stamp.modified());
    let changed = last_change(&directory())?;
    if directory().join("dist/index.html").is_file() && built.is_ok_and(|built| changed < built) {
        return Ok(());
    }
    let start = SystemTime::now();
    step("the window's page", || npm("build"))?;
    // What is changed during the build counts as later.
    File::create(&stamp)
        .and_then(|stamp| stamp.set_modified(start))
        .with_context(|| format!("write {}", stamp.display()))
}

/// When the last of the page's sources was changed, added or removed.
fn last_change(directory: &Path) -> Result<SystemTime> {
    let reading = || format!("read {}", directory.display());
    let mut last = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(directory).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        let metadata = entry.metadata().with_context(reading)?;
        if NOT_THE_PAGE.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        last = last.max(metadata.modified()?);
        if metadata.is_dir() {
            last = last.max(last_change(&entry.path())?);
        }
    }
    Ok(last)
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
