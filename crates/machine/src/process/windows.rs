//! From Windows, by `sysinfo`. Never run.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::ProcessId;

/// Windows tells an ordinary user nothing of a process that another one has started.
const UNTOLD: u64 = 0;

/// In seconds since 1970.
pub(super) fn started(pid: u32) -> Option<u64> {
    let pid = Pid::from_u32(pid);
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        true,
        ProcessRefreshKind::nothing(),
    );
    system.process(pid).map(sysinfo::Process::start_time)
}

/// Of one that nothing is told of it is only known that its number is in use. It counts as the same: lines of a helper that may still run stay.
pub(super) fn is_running(process: ProcessId) -> bool {
    started(process.pid).is_some_and(|started| [process.started, UNTOLD].contains(&started))
}

/// Not needed: the date of a start tells boots apart.
pub(super) fn boot() -> String {
    String::new()
}
