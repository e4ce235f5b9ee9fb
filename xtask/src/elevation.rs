//! The helper that has the superuser's rights: its tests, for real, on this machine.

use std::path::Path;

use anyhow::Result;

use crate::{programs::Programs, progress::step, sandbox::packages, test::Selection};

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

/// The helper's tests. They need root, and change nothing of this machine: see `tests/elevation/src/lib.rs`.
pub(crate) fn test(programs: &Programs, selection: &Selection) -> Result<()> {
    if !packages::are_installed(PACKAGES)? {
        step("polkit", || packages::ensure(PACKAGES))?;
    }
    // They look for it beside themselves.
    programs.path("towline-helper")?;
    programs.test(
        |test| test.directory == Path::new("tests/elevation") && selection.has(&test.name),
        &selection.arguments(THREADS),
        |_| Ok(()),
    )
}
