//! What WebKitGTK and the C library must be told before the process starts.

/// What is told, by the environment, each only if the user has said nothing about it.
///
/// - WebKitGTK's DMA-BUF renderer is turned off: with some drivers it shows an empty window (WebKit bug 262607).
/// - glibc's allocator gets two arenas (mallopt(3)). It makes eight for each core, each of which keeps what it once needed: on twelve threads
///   reading 5,000 pods cost half as much again as on two.
/// - It gives large blocks, and the free end of the heap, back to the system. By itself it raises both limits to 32 and 64 MiB once a list of some MB was
///   read, and keeps the room of every later one: 17 MB after reading 5,000 pods.
#[cfg(target_os = "linux")]
const TOLD: [(&str, &str); 4] = [
    ("WEBKIT_DISABLE_DMABUF_RENDERER", "1"),
    ("MALLOC_ARENA_MAX", "2"),
    ("MALLOC_MMAP_THRESHOLD_", "65536"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
];

/// Sees that both are told. They are read from the process's environment. Changing that within a process is unsafe where threads run, so the process
/// begins anew with it: same number, same arguments.
#[cfg(target_os = "linux")]
pub(crate) fn prepare() {
    use std::{env, os::unix::process::CommandExt, process::Command};

    use towline_app::OWN_VARIABLES;

    let unsaid = TOLD.into_iter().filter(|(name, _)| env::var_os(name).is_none());
    let unsaid: Vec<_> = unsaid.collect();
    // The list is there where this is the second beginning.
    if unsaid.is_empty() || env::var_os(OWN_VARIABLES).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else {
        return;
    };
    let names: Vec<_> = unsaid.iter().map(|(name, _)| *name).collect();
    let mut arguments = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments).envs(unsaid).env(OWN_VARIABLES, names.join(" "));
    let error = command.exec();
    eprintln!("warning: start anew with {}: {error}; going on without", names.join(", "));
}

/// Only WebKitGTK and glibc need that.
#[cfg(not(target_os = "linux"))]
pub(crate) fn prepare() {}
