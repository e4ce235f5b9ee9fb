//! Ending a holder on somebody's word. Looked at again at the moment of doing it: the very process, by its start, must still hold the very port.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::unit::Unit;

/// This very process holds this very port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// The address that it listens on.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// The process.
    pub pid: u32,
    /// When it began, in clock ticks since boot.
    pub started: u64,
}

/// How a process is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopSignal {
    /// SIGTERM: it may finish what it does.
    Term,
    /// SIGKILL: at once, and what it had in hand is lost.
    Kill,
}

/// A process that is never ended for a port, whatever is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protected {
    /// Process 1.
    #[error(
        "it is the system's first process, which holds ports for services that are not running"
    )]
    Init,
    /// A service manager of a user's: what that user runs would end with it.
    #[error("it is a service manager, which holds ports for services that are not running")]
    Manager,
    /// The process that was asked to do it.
    #[error("it is this process itself")]
    Itself,
    /// One that the asking process was started by, such as its shell.
    #[error("this process was started from it")]
    Ancestor,
}

/// The holder is not ended.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// That process does not hold that port any more.
    #[error("process {} does not hold port {} any more: {now}", .claim.pid, .claim.port)]
    Changed {
        /// What was claimed.
        claim: Claim,
        /// What is there now.
        now: String,
    },
    /// It is never ended.
    #[error("process {pid} is not ended: {why}")]
    Protected {
        /// The process.
        pid: u32,
        /// Why.
        #[source]
        why: Protected,
    },
    /// The process belongs to another unit now, or to none.
    #[error("process {pid} does not hold the port for {expected}")]
    AnotherUnit {
        /// The process.
        pid: u32,
        /// What it was thought to belong to.
        expected: Unit,
    },
    /// This process is part of the same service and would be stopped with it.
    #[error("{0} is not stopped: this process is part of it")]
    OwnUnit(Unit),
    /// The user may not.
    #[error("process {pid} is another user's")]
    Denied {
        /// The process.
        pid: u32,
    },
    /// `systemctl` says no.
    #[error("systemctl cannot stop {unit}: {said}")]
    Systemctl {
        /// The service.
        unit: Unit,
        /// What it said.
        said: String,
    },
    /// The system says no.
    #[error("process {pid} cannot be ended: {source}")]
    System {
        /// The process.
        pid: u32,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A process that has been told to end.
#[derive(Debug)]
pub struct Ending {
    #[cfg(target_os = "linux")]
    pub(super) process: std::os::fd::OwnedFd,
}

impl Ending {
    /// Waits until it has ended, at most `limit`; false: it still runs.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn wait(&self, limit: Duration) -> io::Result<bool> {
        #[cfg(target_os = "linux")]
        return super::stop_linux::wait(&self.process, limit);
        #[cfg(not(target_os = "linux"))]
        {
            let _ = limit;
            Err(unsupported())
        }
    }
}

/// Why a process is never ended for a port; none: it may be.
pub fn protected(pid: u32) -> Option<Protected> {
    if pid <= 1 {
        return Some(Protected::Init);
    }
    if pid == std::process::id() {
        return Some(Protected::Itself);
    }
    #[cfg(target_os = "linux")]
    return match super::stop_linux::is_manager(pid) {
        true => Some(Protected::Manager),
        false => super::stop_linux::is_ancestor(pid).then_some(Protected::Ancestor),
    };
    #[cfg(not(target_os = "linux"))]
    None
}

/// Tells a process to end, if it still holds the port.
///
/// # Errors
/// When it does not any more, is protected, is another user's, or the system says no. Nothing has been sent then.
pub fn signal(claim: &Claim, how: StopSignal) -> Result<Ending, StopError> {
    if let Some(why) = protected(claim.pid) {
        return Err(StopError::Protected { pid: claim.pid, why });
    }
    #[cfg(target_os = "linux")]
    return super::stop_linux::signal(claim, how);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = how;
        Err(StopError::System { pid: claim.pid, source: unsupported() })
    }
}

/// Stops the systemd unit by which the process holds the port, if it still does. Returns when the unit has stopped: for a service that is stopped so is not
/// started again by `Restart=`, and a service manager closes the socket of a socket unit and goes on.
///
/// # Errors
/// As [`signal`]; and when this process is itself part of the service, or `systemctl` says no.
pub fn stop_unit(claim: &Claim, unit: &Unit) -> Result<(), StopError> {
    match protected(claim.pid) {
        Some(Protected::Init | Protected::Manager) if unit.is_socket() => {}
        Some(why) => return Err(StopError::Protected { pid: claim.pid, why }),
        None => {}
    }
    #[cfg(target_os = "linux")]
    return super::stop_linux::stop_unit(claim, unit);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = unit;
        Err(StopError::System { pid: claim.pid, source: unsupported() })
    }
}

#[cfg(not(target_os = "linux"))]
fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "processes are ended for their ports on Linux only")
}
