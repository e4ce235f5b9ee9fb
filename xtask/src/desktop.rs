//! The desktop application: how it is built, and its tests in a real window.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{
    agent::{Profile, cargo, run},
    bundle, elevation, paths,
    progress::step,
    sandbox::packages,
    stage::Stage,
    tool, ui, webkit,
};

/// The desktop that the tests bring up, each its own.
const PACKAGES: &[&str] =
    &["dbus", "fonts-dejavu-core", "openbox", "webkit2gtk-driver", "x11-utils", "xdotool", "xvfb"];

/// How many windows are driven at once: each has a display, a browser engine and a session of its own.
const THREADS: &str = "2";

/// What the tests drive: the application as it is built for users takes a quarter of an hour more to build.
const PROFILE: Profile = Profile::Debug;

/// The version that fits Tauri 2.
const DRIVER: &str = "tauri-driver@2.1.0";

/// Builds the window's page and the application around it, and tells where it is.
pub(crate) fn build(profile: Profile) -> Result<PathBuf> {
    webkit::ensure()?;
    ui::build()?;
    // The application looks for it beside itself.
    step("towline-helper", || {
        let mut cargo = cargo();
        cargo
            .args(["build", "--quiet", "--locked", "--package", "towline-helper"])
            .args((profile == Profile::Release).then_some("--release"));
        run(&mut cargo, "build the helper")
    })?;
    step("towline-app", || {
        let mut cargo = cargo();
        cargo
            .args(["build", "--quiet", "--locked", "--package", "towline-desktop"])
            .args(["--features", "custom-protocol"])
            .args((profile == Profile::Release).then_some("--release"));
        run(&mut cargo, "build the desktop application")
    })?;
    Ok(paths::target().join(profile.directory()).join("towline-app"))
}

/// What drives a window without anybody watching.
pub(crate) struct Driver {
    application: PathBuf,
    driver: PathBuf,
}

impl Driver {
    /// Builds and installs what is missing.
    pub(crate) fn set_up(profile: Profile) -> Result<Self> {
        let application = build(profile)?;
        let needed = [PACKAGES, elevation::PACKAGES].concat();
        if !packages::are_installed(&needed)? {
            step("a virtual desktop", || packages::ensure(&needed))?;
        }
        Ok(Self { application, driver: tool::cargo_install(DRIVER, "tauri-driver")? })
    }

    /// Tells `command` where everything is; `tests/desktop/src/lib.rs` says what it reads.
    pub(crate) fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("TOWLINE_TEST_APP", &self.application)
            .env("TOWLINE_TEST_DRIVER", &self.driver)
            .env("TOWLINE_TEST_SCREENSHOTS", screenshots())
    }
}

/// Where pictures of the window are kept.
pub(crate) fn screenshots() -> PathBuf {
    paths::target().join("screenshots")
}

/// The tests in a real window, on a cluster that is up.
pub(crate) fn test(stage: &Stage<'_>, extra: &[String]) -> Result<()> {
    let driver = Driver::set_up(PROFILE)?;
    let package = bundle::deb(PROFILE)?;
    let (for_cargo, for_tests) = split(extra);
    let mut test = cargo();
    test.args(["test", "--locked", "--no-fail-fast", "--package", "towline-desktop-tests"])
        .args(for_cargo)
        .args(["--", "--test-threads", THREADS])
        .args(for_tests);
    test.env("TOWLINE_TEST_DEB", package);
    run(driver.tell(stage.tell(&mut test)?), "tests of the desktop application")
}

/// What is meant for cargo, and what for the tests themselves.
pub(crate) fn split(extra: &[String]) -> (&[String], &[String]) {
    match extra.iter().position(|word| word == "--") {
        Some(place) => (&extra[..place], &extra[place + 1..]),
        None => (extra, &[]),
    }
}

/// Whether this machine has a display on which a window can be opened.
pub(crate) fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Runs the application on this machine's display until the user quits it.
pub(crate) fn open(application: &Path, kubeconfig: &Path, path: &std::ffi::OsStr) -> Result<()> {
    let mut command = Command::new(application);
    command.env("KUBECONFIG", kubeconfig).env("PATH", path);
    run(&mut command, "the desktop application")
}
