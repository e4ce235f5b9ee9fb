//! Stopping the cluster, from whatever state it is in.

use std::{fs, process::Command, time::Duration};

use anyhow::{Context, Result, bail};

use super::{Sandbox, control_groups, network, processes, up::require_root, wait};
use crate::progress::step;

const LIMIT: Duration = Duration::from_secs(30);

/// Stops the cluster and removes every trace of it but what is cached.
///
/// # Errors
///
/// When something is left, with what it is.
pub(super) fn down(sandbox: &Sandbox) -> Result<()> {
    require_root()?;
    if !sandbox.cache().exists() {
        return Ok(());
    }
    let lock = fs::File::create(sandbox.cache().join("lock"))?;
    lock.lock().context("wait for another `cargo xtask sandbox`")?;
    step("remove the cluster", || clean(sandbox))
}

/// Removes what there is of a cluster, whole or in parts.
pub(super) fn clean(sandbox: &Sandbox) -> Result<()> {
    // With its first process, the kernel ends all others of the node, and its mounts are gone with them.
    let first: Vec<_> = sandbox.node()?.into_iter().collect();
    processes::kill(&first)?;
    wait::until("the node's processes have ended", LIMIT, None, || {
        let left: Vec<_> = sandbox.processes()?.iter().map(|process| process.id()).collect();
        processes::kill(&left)?;
        Ok(left.is_empty().then_some(()))
    })?;
    for mount in mounts(sandbox)? {
        network::run("umount", &["--lazy", &mount])?;
    }
    network::remove(sandbox)?;
    wait::until("the node's control groups are gone", LIMIT, None, || {
        control_groups::remove(sandbox)?;
        Ok(control_groups::existing(sandbox)?.is_empty().then_some(()))
    })?;
    // Never with something mounted below: it would be emptied.
    if mounts(sandbox)?.is_empty() && sandbox.run().exists() {
        fs::remove_dir_all(sandbox.run())
            .with_context(|| format!("remove {}", sandbox.run().display()))?;
    }
    if sandbox.kubeconfig().exists() {
        fs::remove_file(sandbox.kubeconfig())?;
    }
    let left = leftovers(sandbox)?;
    if !left.is_empty() {
        bail!("left of the sandbox cluster: {}", left.join("; "));
    }
    Ok(())
}

/// What there is of a cluster, whole or in parts.
pub(super) fn leftovers(sandbox: &Sandbox) -> Result<Vec<String>> {
    let mut left = Vec::new();
    if let Some(node) = sandbox.node()? {
        left.push(format!("the node's first process {node}"));
    }
    left.extend(
        sandbox.processes()?.iter().map(|process| format!("process {}", process.describe())),
    );
    left.extend(mounts(sandbox)?.into_iter().map(|mount| format!("mount {mount}")));
    left.extend(
        control_groups::existing(sandbox)?
            .iter()
            .map(|group| format!("control group {}", group.display())),
    );
    if sandbox.namespace().exists() {
        left.push(format!("network namespace {}", sandbox.namespace().display()));
    }
    if network::link_exists(sandbox)? {
        left.push(format!("link {}", sandbox.link()));
    }
    if sandbox.run().exists() {
        left.push(format!("directory {}", sandbox.run().display()));
    }
    Ok(left)
}

/// Mounts below the run directory that this machine sees, the innermost first.
fn mounts(sandbox: &Sandbox) -> Result<Vec<String>> {
    let output = Command::new("findmnt")
        .args(["--raw", "--noheadings", "--output", "TARGET"])
        .output()
        .context("run findmnt")?;
    let listed = String::from_utf8_lossy(&output.stdout);
    let ours = listed.lines().filter(|path| std::path::Path::new(path).starts_with(sandbox.run()));
    let mut mounts: Vec<_> = ours.map(ToOwned::to_owned).collect();
    mounts.reverse();
    Ok(mounts)
}
