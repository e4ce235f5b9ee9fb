//! Tools that come from the registry, kept in the cache.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    agent::{cargo, run},
    paths,
    progress::step,
};

/// Where the program of a package is, installed first if it is missing. `package` may carry a version, as `tauri-driver@2.1.0`.
///
/// Built without optimisation: that takes a third of the time, and the tools run for seconds only.
pub(crate) fn cargo_install(package: &str, program: &str) -> Result<PathBuf> {
    let tools = paths::cache()?.join("tools");
    let installed = tools.join("bin").join(program);
    if installed.exists() {
        return Ok(installed);
    }
    step(&format!("install {program}"), || {
        let mut cargo = cargo();
        cargo
            .args(["install", "--quiet", "--locked", "--profile", "dev", "--root"])
            .arg(&tools)
            .arg(package);
        run(&mut cargo, &format!("install {program}"))
    })?;
    Ok(installed)
}
