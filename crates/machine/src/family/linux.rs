//! From `/proc`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use object::{Object, ReadCache};
use procfs::process::{MMapPath, Process, Stat};

use super::{Relative, Runtime};

pub(super) fn family(root: u32) -> Vec<Relative> {
    let Ok(root) = i32::try_from(root) else { return Vec::new() };
    let Ok(all) = procfs::process::all_processes() else { return Vec::new() };
    let running: BTreeMap<i32, Stat> = all
        .filter_map(|process| process.ok()?.stat().ok())
        .filter(|stat| !matches!(stat.state, 'Z' | 'X' | 'x'))
        .map(|stat| (stat.pid, stat))
        .collect();
    members(root, &running).into_iter().filter_map(relative).collect()
}

/// Parents before their children.
fn members(root: i32, running: &BTreeMap<i32, Stat>) -> Vec<i32> {
    // Whoever of the group has lost its parent is nobody's descendant any more.
    let grouped = running.values().filter(|stat| stat.pgrp == root && stat.pid != root);
    let mut pending: Vec<i32> = grouped.map(|stat| stat.pid).rev().collect();
    pending.extend(running.contains_key(&root).then_some(root));
    let (mut order, mut had) = (Vec::new(), BTreeSet::new());
    while let Some(pid) = pending.pop() {
        if had.insert(pid) {
            order.push(pid);
            let children = running.values().filter(|stat| stat.ppid == pid);
            pending.extend(children.map(|stat| stat.pid).rev());
        }
    }
    order
}

/// None where it has ended meanwhile.
fn relative(pid: i32) -> Option<Relative> {
    let process = Process::new(pid).ok()?;
    let runtime = runtime(&process);
    let command = process.cmdline().ok().filter(|words| !words.is_empty());
    let command = match command {
        Some(words) => words,
        None => vec![process.stat().ok()?.comm],
    };
    let mut options: Vec<String> = command.iter().skip(1).cloned().collect();
    if let Some(name) = runtime.options_variable()
        && let Ok(environment) = process.environ()
        && let Some(more) = environment.get(std::ffi::OsStr::new(name))
    {
        let more = more.to_string_lossy();
        options.splice(0..0, more.split_whitespace().map(str::to_owned));
    }
    let tracer = process.status().ok()?.tracerpid;
    Some(Relative {
        pid: u32::try_from(pid).ok()?,
        uid: process.uid().ok()?,
        awaits: runtime.awaits(&options),
        command,
        runtime,
        traced_by: u32::try_from(tracer).ok().filter(|tracer| *tracer != 0),
    })
}

fn runtime(process: &Process) -> Runtime {
    let Ok(file) = process.exe() else { return Runtime::Unknown };
    let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
    if let Some(known) = name(&file).and_then(|name| Runtime::by_name(&name)) {
        return known;
    }
    let maps = process.maps().map(|maps| maps.0).unwrap_or_default();
    let mut libraries = maps.iter().filter_map(|map| match &map.pathname {
        MMapPath::Path(path) => name(path),
        _ => None,
    });
    if let Some(known) = libraries.find_map(|library| Runtime::by_library(&library)) {
        return known;
    }
    // The file as it was started, also where it has been replaced by a build since.
    if is_go(Path::new(&format!("/proc/{}/exe", process.pid()))) {
        Runtime::Go
    } else {
        Runtime::Native
    }
}

/// Go's linker puts the build's description into every program (Go's package debug/buildinfo).
fn is_go(file: &Path) -> bool {
    let Ok(file) = File::open(file) else { return false };
    let read = ReadCache::new(file);
    let parsed = object::File::parse(&read);
    parsed.is_ok_and(|file| file.section_by_name(".go.buildinfo").is_some())
}
