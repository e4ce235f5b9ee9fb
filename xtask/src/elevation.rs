//! The helper that has the superuser's rights: its tests, for real, on this machine.

use anyhow::Result;

use crate::{
    agent::{cargo, run},
    desktop,
    progress::step,
    sandbox::packages,
};

/// What a desktop has that asks for rights, and the tools that keep the tests' machines apart from this one.
pub(crate) const PACKAGES: &[&str] = &[
    "bsdutils",
    "dbus",
    "iproute2",
    "libpam-systemd",
    "passwd",
    "pkexec",
    "polkitd",
    "procps",
    "python3",
    "systemd",
    "util-linux",
];

/// How many of the tests' machines are up at once.
const THREADS: &str = "4";

/// Builds the helper and runs its tests. They need root, and change nothing of this machine: see `tests/elevation/src/lib.rs`.
pub(crate) fn test(extra: &[String]) -> Result<()> {
    if !packages::are_installed(PACKAGES)? {
        step("polkit", || packages::ensure(PACKAGES))?;
    }
    step("towline-helper", || {
        let mut build = cargo();
        build.args(["build", "--quiet", "--locked", "--package", "towline-helper"]);
        run(&mut build, "build the helper")
    })?;
    let (for_cargo, for_tests) = desktop::split(extra);
    let mut test = cargo();
    test.args(["test", "--locked", "--no-fail-fast", "--package", "towline-elevation-tests"])
        .args(for_cargo)
        .args(["--", "--test-threads", THREADS])
        .args(for_tests);
    run(&mut test, "tests of the helper")
}
