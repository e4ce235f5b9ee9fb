//! Licences, sources and duplicates of what the project depends on, by cargo-deny.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{agent::run, paths, tool};

/// Runs cargo-deny with the rules of `deny.toml`, installed first if it is missing.
pub(crate) fn check() -> Result<()> {
    let program = tool::cargo_install("cargo-deny", "cargo-deny")?;
    let deny = || {
        let mut command = Command::new(&program);
        command.current_dir(paths::root()).args([
            "--all-features",
            "check",
            "--hide-inclusion-graph",
        ]);
        command
    };
    run(
        deny().args(["bans", "licenses", "sources"]),
        "check the dependencies' licences and sources",
    )?;
    if !has_advisories() {
        // Its database is a repository far away, and a build machine may reach nothing.
        eprintln!(
            "  no advisory database on this machine: advisories are not checked; `cargo deny fetch` gets it"
        );
        return Ok(());
    }
    run(deny().args(["--disable-fetch", "advisories"]), "check the dependencies for advisories")
}

fn has_advisories() -> bool {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cargo")));
    home.and_then(|home| fs::read_dir(home.join("advisory-dbs")).ok())
        .is_some_and(|mut databases| databases.next().is_some())
}
