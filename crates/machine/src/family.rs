//! The processes that a program consists of, for somebody who wants to attach a debugger to one of them: `npm run dev` is a shell between two Nodes, and
//! only the last of them runs the developer's code.
//!
//! Linux only; elsewhere nothing is known. Processes of other users are listed, but what they run is only known to root.

#[cfg(target_os = "linux")]
mod linux;
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
mod runtime;

pub use self::runtime::Runtime;

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relative {
    /// Its number.
    pub pid: u32,
    /// Whose it is.
    pub uid: u32,
    /// The command and its arguments, as the process shows them.
    pub command: Vec<String>,
    /// What runs its code.
    pub runtime: Runtime,
    /// Where it awaits a debugger already, as `127.0.0.1:9229`: it was told to when it was started.
    pub awaits: Option<String>,
    /// The process that debugs it already (proc_pid_status(5), `TracerPid`).
    pub traced_by: Option<u32>,
}

impl Relative {
    /// The command and its arguments as one line, as [`crate::holder::Holder::command_line`] has it.
    pub fn command_line(&self) -> String {
        crate::command_line::shown(&self.command).unwrap_or_default()
    }
}

/// The process `pid` and all that it has started, parents before their children: its descendants, and who else is in its process group. Empty when it has
/// ended.
pub fn family(pid: u32) -> Vec<Relative> {
    #[cfg(target_os = "linux")]
    return linux::family(pid);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = pid;
        Vec::new()
    }
}

/// Who may attach to a process of the same user (the Yama module's `kernel.yama.ptrace_scope`; Documentation/admin-guide/LSM/Yama.rst of Linux).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PtraceScope {
    /// Every process of that user.
    Everybody,
    /// Only the processes that have started it.
    Ancestors,
    /// Only root.
    Root,
    /// Nobody, until the machine starts anew.
    Nobody,
}

impl PtraceScope {
    /// This machine's.
    pub fn here() -> Self {
        // A kernel without that module has no such file.
        let written = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope");
        Self::parse(&written.unwrap_or_default())
    }

    fn parse(written: &str) -> Self {
        match written.trim() {
            "1" => Self::Ancestors,
            "2" => Self::Root,
            "3" => Self::Nobody,
            _ => Self::Everybody,
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
#[allow(clippy::unwrap_used)]
mod tests;
