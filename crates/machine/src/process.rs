//! Processes, so that a number that is used again is not taken for the process that had it before.

#[cfg_attr(target_os = "linux", path = "process/linux.rs")]
#[cfg_attr(all(unix, not(target_os = "linux")), path = "process/ps.rs")]
#[cfg_attr(windows, path = "process/windows.rs")]
mod system;

use serde::{Deserialize, Serialize};

/// One process of this boot: its number and when it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it started: on Linux in clock ticks since the boot (field 22 of proc_pid_stat(5)); elsewhere a number that differs from start to start,
    /// also from those before the boot.
    pub started: u64,
}

impl ProcessId {
    /// The process that has this number now.
    pub fn of(pid: u32) -> Option<Self> {
        system::started(pid).map(|started| Self { pid, started })
    }

    /// This process.
    pub fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// Whether this very process still runs. One that has ended does not, even if nobody has waited for it yet.
    pub fn is_running(self) -> bool {
        system::is_running(self)
    }
}

/// Which boot of the machine this is; the same text until it starts anew. Empty where the system does not tell.
pub fn boot() -> String {
    system::boot()
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_used_again_is_another_process() {
        let own = ProcessId::own().unwrap();
        assert!(own.is_running());
        assert!(!ProcessId { started: own.started + 1, ..own }.is_running());
        assert_eq!(boot().len(), 8);
    }

    #[test]
    fn a_process_that_ended_does_not_run() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let process = ProcessId::of(child.id()).unwrap();
        assert!(process.is_running());
        drop(child.stdin.take());
        // The end of its output is not yet its own end.
        while process.is_running() {
            std::thread::yield_now();
        }
        assert_eq!(ProcessId::of(child.id()), None, "not waited for, and still no process");
        child.wait().unwrap();
        assert!(!process.is_running());
    }
}
