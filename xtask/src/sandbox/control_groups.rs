//! The node's own part of the control group hierarchy: the kubelet ends what it does not know below its root, so two nodes cannot share one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::Sandbox;

const HIERARCHY: &str = "/sys/fs/cgroup";
/// What the kubelet needs below its root.
const CONTROLLERS: [&str; 5] = ["cpu", "cpuset", "io", "memory", "pids"];

/// Makes the node's groups, in whichever version of control groups this machine has.
pub(super) fn create(sandbox: &Sandbox) -> Result<()> {
    let unified = Path::new(HIERARCHY).join("cgroup.controllers").exists();
    if unified {
        for controller in CONTROLLERS {
            // A kernel without one of them says so, and the kubelet goes on without it.
            let _ = fs::write(
                Path::new(HIERARCHY).join("cgroup.subtree_control"),
                format!("+{controller}"),
            );
        }
    }
    for group in possible(sandbox)? {
        fs::create_dir_all(&group).with_context(|| format!("create {}", group.display()))?;
        // Without this a new group of version 1 has no processors, and takes no process.
        let inherit = group.join("cgroup.clone_children");
        if inherit.exists() {
            fs::write(&inherit, "1")?;
        }
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if let (false, Ok(parent)) = (unified, fs::read(group.with_file_name(file))) {
                fs::write(group.join(file), parent)?;
            }
        }
    }
    Ok(())
}

/// The node's groups that exist. With version 1, runc makes one in the hierarchy of version 2 beside it, too.
pub(super) fn existing(sandbox: &Sandbox) -> Result<Vec<PathBuf>> {
    let name = sandbox.control_group();
    let mut groups = vec![Path::new(HIERARCHY).join(&name)];
    for entry in fs::read_dir(HIERARCHY).with_context(|| format!("read {HIERARCHY}"))? {
        let path = entry?.path();
        if !path.is_symlink() {
            groups.push(path.join(&name));
        }
    }
    groups.retain(|group| group.is_dir());
    Ok(groups)
}

/// Removes the node's groups. A group with processes stays: the caller waits until they have ended.
pub(super) fn remove(sandbox: &Sandbox) -> Result<()> {
    existing(sandbox)?.iter().try_for_each(|group| remove_tree(group))
}

/// Where the node's groups are: one in each hierarchy of version 1, or the one of version 2.
fn possible(sandbox: &Sandbox) -> Result<Vec<PathBuf>> {
    let root = Path::new(HIERARCHY);
    let name = sandbox.control_group();
    if root.join("cgroup.controllers").exists() {
        return Ok(vec![root.join(name)]);
    }
    let mut groups = Vec::new();
    for entry in fs::read_dir(root).with_context(|| format!("read {HIERARCHY}"))? {
        let path = entry?.path();
        // `cpu` may be a link to `cpu,cpuacct`; and `unified` is of version 2, which the kubelet does not use here.
        if path.is_symlink() || !path.join("cgroup.clone_children").exists() {
            continue;
        }
        groups.push(path.join(&name));
    }
    Ok(groups)
}

fn remove_tree(group: &Path) -> Result<()> {
    let entries = match fs::read_dir(group) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    match fs::remove_dir(group) {
        // Its last process is still ending.
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => Ok(()),
        result => result.with_context(|| format!("remove {}", group.display())),
    }
}
