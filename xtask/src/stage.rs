//! What the end-to-end tests and the benchmark need on the sandbox cluster: its images, the command line, and the variables that tell of them.

use std::{env, ffi::OsString, path::PathBuf, process::Command};

use anyhow::Result;

use crate::{
    agent, paths,
    progress::step,
    sandbox::{self, Sandbox, Second},
    shop,
};

/// A cluster that is up and has the images, and the command line to try on it.
pub(crate) struct Stage<'a> {
    sandbox: &'a Sandbox,
    command_line: PathBuf,
    archive: PathBuf,
    /// All that are loaded.
    images: Vec<PathBuf>,
}

impl<'a> Stage<'a> {
    /// Builds and loads the images that are missing.
    pub(crate) fn set(sandbox: &'a Sandbox, command_line: PathBuf) -> Result<Self> {
        let archive = paths::target().join("agent-image.tar");
        let images = step("agent and shop images", || {
            agent::image(agent::host()?, &archive)?;
            let mut images = shop::images()?;
            images.push(archive.clone());
            sandbox::load_images(sandbox, &images)?;
            Ok(images)
        })?;
        Ok(Self { sandbox, command_line, archive, images })
    }

    /// A second cluster with the same images, until it is dropped.
    pub(crate) fn second(&self) -> Result<Second> {
        let second = step("a second cluster", || Second::up(self.sandbox))?;
        step("images of the second cluster", || {
            sandbox::load_images(second.sandbox(), &self.images)
        })?;
        Ok(second)
    }

    /// Tells `command` where everything is; `tests/cluster/src/lib.rs` says what it reads.
    pub(crate) fn tell<'c>(&self, command: &'c mut Command) -> Result<&'c mut Command> {
        Ok(command
            .env("TOWLINE_TEST_KUBECONFIG", self.sandbox.kubeconfig())
            .env("TOWLINE_TEST_CLI", &self.command_line)
            .env("TOWLINE_SANDBOX_NETNS", self.sandbox.name())
            .env("TOWLINE_AGENT_ARCHIVE", &self.archive)
            .env("PATH", path(self.sandbox)?))
    }
}

/// `PATH` with the sandbox's own binaries first, so that `kubectl` is Debian's on every machine.
pub(crate) fn path(sandbox: &Sandbox) -> Result<OsString> {
    let rest = env::var_os("PATH").unwrap_or_default();
    let directories = std::iter::once(sandbox.binaries()).chain(env::split_paths(&rest));
    Ok(env::join_paths(directories)?)
}
