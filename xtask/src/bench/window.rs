//! `tests/desktop/src/bin/window-bench`: the real window, on a display that nobody sees.

use std::{path::Path, process::Command};

use anyhow::Result;

use crate::{
    agent::{cargo, run},
    desktop::Driver,
    paths,
    progress::step,
    stage::Stage,
};

/// Builds what measures the application, optimised too, because without that it could not change the cluster as often as it is to.
pub(super) fn measure(stage: &Stage<'_>, application: &Path) -> Result<()> {
    let driver = Driver::of(application.to_owned())?;
    step("what drives the window", || {
        let mut build = cargo();
        build.args(["build", "--quiet", "--release", "--package", "towline-desktop-tests"]);
        build.args(["--bin", "window-bench"]);
        run(&mut build, "build what drives the window")
    })?;
    let mut bench = Command::new(paths::target().join("release/window-bench"));
    bench.arg("run");
    run(driver.tell(stage.tell(&mut bench)?), "measure the window")
}
