//! What WebKitGTK must be told before it starts.

/// Turns WebKitGTK's DMA-BUF renderer off, unless the user has said something about it: with some drivers it shows an empty window
/// (WebKit bug 262607). WebKit reads the variable from the process's environment. Changing that within a process is unsafe where threads run, so the process
/// begins anew with it: same number, same arguments.
#[cfg(target_os = "linux")]
pub(crate) fn prepare() {
    use std::{env, os::unix::process::CommandExt, process::Command};

    const VARIABLE: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    if env::var_os(VARIABLE).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else {
        return;
    };
    let mut arguments = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    let error = command.args(arguments).env(VARIABLE, "1").exec();
    eprintln!("warning: start anew with {VARIABLE}=1: {error}; going on without");
}

/// Only WebKitGTK needs that.
#[cfg(not(target_os = "linux"))]
pub(crate) fn prepare() {}
