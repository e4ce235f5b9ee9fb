//! The desktop application: how it is built, and its tests in a real window.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{
    agent::{Profile, run},
    bundle, elevation, paths,
    programs::Programs,
    progress::step,
    sandbox::packages,
    stage::Stage,
    test::Selection,
    tool,
};

/// The desktop that the tests bring up, each its own.
const PACKAGES: &[&str] =
    &["dbus", "fonts-dejavu-core", "openbox", "webkit2gtk-driver", "x11-utils", "xdotool", "xvfb"];

/// How many windows are driven at once: each has a display, a browser engine and a session of its own.
const THREADS: &str = "2";

/// The application's.
pub(crate) const PACKAGE: &str = "towline-desktop";

/// The window's files are inside the program.
pub(crate) const FEATURES: &str = "towline-desktop/custom-protocol";

/// The version that fits Tauri 2.
const DRIVER: &str = "tauri-driver@2.1.0";

/// What drives a window without anybody watching.
pub(crate) struct Driver {
    application: PathBuf,
    driver: PathBuf,
}

impl Driver {
    /// Drives `application`. Installs what is missing.
    pub(crate) fn of(application: PathBuf) -> Result<Self> {
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

/// The tests in a real window, on a cluster that is up. What they drive is not optimised: the application as users have it takes a quarter of an hour
/// more to build.
pub(crate) fn test(programs: &Programs, stage: &Stage<'_>, selection: &Selection) -> Result<()> {
    let driver = Driver::of(programs.path("towline-app")?.to_owned())?;
    let package = bundle::package(Profile::Debug, programs.path("towline")?)?;
    programs.test(
        |test| test.directory == Path::new("tests/desktop") && selection.has(&test.name),
        &selection.arguments(THREADS),
        |test| {
            driver.tell(stage.tell(test)?).env("TOWLINE_TEST_DEB", &package);
            Ok(())
        },
    )
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
