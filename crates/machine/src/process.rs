//! Processes, so that a number that is used again is not taken for the process that had it before.

use std::fs;

use serde::{Deserialize, Serialize};

/// One process of this boot: its number and when it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it started: on Linux in clock ticks since the boot (field 22 of proc_pid_stat(5)); elsewhere a number that differs from start to start.
    pub started: u64,
}

impl ProcessId {
    /// The process that has this number now.
    pub fn of(pid: u32) -> Option<Self> {
        started(pid).map(|started| Self { pid, started })
    }

    /// This process.
    pub fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// Whether this very process still runs. One that has ended does not, even if nobody has waited for it yet.
    pub fn is_running(self) -> bool {
        started(self.pid) == Some(self.started)
    }
}

/// Which boot of the machine this is; the same text until it starts anew. Empty where the system does not tell.
pub fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.chars().filter(char::is_ascii_hexdigit).take(8).collect()
}

#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, with any bytes inside; the third follows the last parenthesis.
    let after = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let mut fields = std::str::from_utf8(&stat[after..]).ok()?.split_ascii_whitespace();
    // Zombie, dead.
    if matches!(fields.next()?, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(all(unix, not(target_os = "linux")))]
fn started(pid: u32) -> Option<u64> {
    let output = std::process::Command::new("/bin/ps")
        .args(["-o", "lstart=", "-p", &pid.to_string()])
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    // Only compared with itself: FNV-1a of the date.
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    (!text.trim().is_empty()).then(|| text.trim().bytes().fold(0xcbf2_9ce4_8422_2325, fold))
}

#[cfg(not(unix))]
fn started(_pid: u32) -> Option<u64> {
    None
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
