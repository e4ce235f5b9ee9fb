//! The node's network: a namespace of its own, joined to this machine by one link.
//!
//! So this machine has no route to pods or services, exactly as with a cluster far away, and a test cannot pass by accident.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail};

use super::{Sandbox, processes};

/// Makes the namespace and the link.
pub(super) fn create(sandbox: &Sandbox) -> Result<()> {
    let (name, link) = (sandbox.name(), sandbox.link());
    let host = format!("{}/30", sandbox.host_address());
    let node = format!("{}/30", sandbox.node_address());
    ip(&["netns", "add", name])?;
    ip(&["link", "add", &link, "type", "veth", "peer", "name", "uplink", "netns", name])?;
    ip(&["addr", "add", &host, "dev", &link])?;
    ip(&["link", "set", &link, "up"])?;
    ip(&["-n", name, "addr", "add", &node, "dev", "uplink"])?;
    ip(&["-n", name, "link", "set", "uplink", "up"])?;
    ip(&["-n", name, "link", "set", "lo", "up"])?;
    // A packet that no rule catches goes nowhere, but has a route: without one a process of the node could not even try to reach a service.
    ip(&["-n", name, "link", "add", "nowhere", "type", "bridge"])?;
    ip(&["-n", name, "link", "set", "nowhere", "up"])?;
    ip(&["-n", name, "route", "add", "default", "dev", "nowhere"])?;
    // The kubelet asks several clouds' metadata services who it is, and would wait 11 seconds for an answer.
    ip(&["-n", name, "route", "add", "unreachable", "169.254.0.0/16"])?;
    run(
        "nsenter",
        &[
            &format!("--net={}", sandbox.namespace().display()),
            "sysctl",
            "-qw",
            "net.ipv4.ip_forward=1",
        ],
    )?;
    // Not there when the kernel has bridge filtering built in or not at all; services work in both cases but for a pod that calls itself.
    let _ = run(
        "nsenter",
        &[
            &format!("--net={}", sandbox.namespace().display()),
            "sysctl",
            "-qw",
            "net.bridge.bridge-nf-call-iptables=1",
        ],
    );
    Ok(())
}

/// Removes what is there of the namespace, of the processes in it, and of the link.
pub(super) fn remove(sandbox: &Sandbox) -> Result<()> {
    let left: Vec<_> = sandbox.processes()?.iter().map(|process| process.id()).collect();
    processes::kill(&left)?;
    if link_exists(sandbox)? {
        ip(&["link", "del", &sandbox.link()])?;
    }
    if sandbox.namespace().exists() {
        ip(&["netns", "del", sandbox.name()])?;
    }
    Ok(())
}

/// Whether the link's end on this machine exists.
pub(super) fn link_exists(sandbox: &Sandbox) -> Result<bool> {
    let path = format!("/sys/class/net/{}", sandbox.link());
    fs::exists(&path).with_context(|| format!("look at {path}"))
}

fn ip(arguments: &[&str]) -> Result<()> {
    run("ip", arguments)
}

/// Runs a program, and turns a failure into an error with what it said.
pub(super) fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output =
        Command::new(program).args(arguments).output().with_context(|| format!("run {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{program} {}` failed: {}", arguments.join(" "), said.trim());
    }
    Ok(())
}
