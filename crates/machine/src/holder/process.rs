//! What `/proc` says about one process.

use std::fs;

use nix::unistd::{Uid, User};

use super::unit::Unit;

/// The name of a user.
pub(super) fn user(uid: u32) -> Option<String> {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name)
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

/// The service of a process.
pub(super) fn unit(pid: u32) -> Option<Unit> {
    Unit::of_cgroup(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)
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
