//! What `/proc` says about one process.

use std::fs;
use std::net::IpAddr;

use nix::unistd::{Uid, User};

use super::container::Container;
use super::systemctl;
use super::unit::{Unit, UnitScope};

/// The name of a user.
pub(super) fn user(uid: u32) -> Option<String> {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name)
}

/// The group of a user; where that is not known, the one of the same number, as most systems have it.
pub(super) fn group(uid: u32) -> u32 {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or(uid, |user| user.gid.as_raw())
}

/// The command and its arguments; for a process that has wiped them, its short name.
pub(super) fn command(pid: u32) -> Vec<String> {
    let words =
        fs::read(format!("/proc/{pid}/cmdline")).map(|bytes| words(&bytes)).unwrap_or_default();
    if !words.is_empty() {
        return words;
    }
    let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    let name = String::from_utf8_lossy(&name).trim().to_owned();
    if name.is_empty() { Vec::new() } else { vec![name] }
}

/// proc_pid_cmdline(5): each word ends with a zero byte, if the process has not written something else over them.
pub(super) fn words(bytes: &[u8]) -> Vec<String> {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if end == 0 {
        return Vec::new();
    }
    bytes[..end]
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// The unit that holds the listener by this process: its service; of a service manager, the socket unit.
pub(super) fn unit(pid: u32, address: IpAddr, port: u16) -> Option<Unit> {
    match manager(pid) {
        Some(scope) => systemctl::socket(scope, address, port),
        None => service(pid),
    }
}

/// The service of a process.
pub(super) fn service(pid: u32) -> Option<Unit> {
    Unit::of_cgroup(&cgroup(pid)?)
}

/// Of which service manager it is the process.
pub(super) fn manager(pid: u32) -> Option<UnitScope> {
    UnitScope::of_manager(pid, &cgroup(pid)?)
}

/// The container of a process, if this one is not in the same.
pub(super) fn container(pid: u32) -> Option<Container> {
    let own = cgroup(std::process::id()).and_then(|text| Container::of_cgroup(&text));
    Container::of_cgroup(&cgroup(pid)?).filter(|container| own.as_ref() != Some(container))
}

fn cgroup(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()
}

/// When it began, and its parent; none: there is no such process.
pub(super) fn stat(pid: u32) -> Option<(u64, u32)> {
    let stat = procfs::process::Process::new(i32::try_from(pid).ok()?).ok()?.stat().ok()?;
    // A zombie holds nothing and cannot be ended.
    if stat.state == 'Z' {
        return None;
    }
    Some((stat.starttime, u32::try_from(stat.ppid).ok()?))
}
