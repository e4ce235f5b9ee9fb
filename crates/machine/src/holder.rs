//! Who holds a TCP port of this machine, and ending that on somebody's word.
//!
//! Looking needs no rights, but shows the processes of other users only to root: of those it is known that they are there, and whose they are. UDP is another
//! matter: its ports are in nobody's way here.
//! Linux only; elsewhere nothing is known, and nothing is ended.

use std::fmt;
use std::io;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

mod container;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod process;
mod stop;
#[cfg(target_os = "linux")]
mod stop_linux;
#[cfg(target_os = "linux")]
mod systemctl;
mod unit;

pub use self::container::{Container, Engine};
pub use self::stop::{
    Claim, Ending, Protected, StopError, StopSignal, protected, signal, stop_unit,
};
pub use self::unit::{Unit, UnitScope};

/// A process that listens on a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// The address that it listens on, which may be a wildcard.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// The process; none: this user may not see it, or nobody sees it from here, because it is in another namespace of processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// When the process began, in clock ticks since boot (proc_pid_stat(5), field 22), so that another process of the same number is told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
    /// Whose listener it is.
    pub uid: u32,
    /// That user's name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The command and its arguments; empty where the process is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The systemd service that the process belongs to; of a service manager, the socket unit that it listens for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The container that the process runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
}

impl Holder {
    /// The name of the user, or their number.
    pub fn user_name(&self) -> String {
        self.user.clone().unwrap_or_else(|| format!("user {}", self.uid))
    }

    /// The command and its arguments as one line, the arguments with blanks in quotes; cut where it is very long, and without control characters. None
    /// where the process is not known.
    pub fn command_line(&self) -> Option<String> {
        crate::command_line::shown(&self.command)
    }

    /// Whether it is the same process, however it calls itself meanwhile.
    pub fn is_same_process(&self, other: &Self) -> bool {
        (self.pid, self.started, self.uid) == (other.pid, other.started, other.uid)
    }

    /// What names this very process as the holder of this very port; none where it is not known.
    pub fn claim(&self) -> Option<Claim> {
        Some(Claim {
            address: self.address,
            port: self.port,
            pid: self.pid?,
            started: self.started?,
        })
    }
}

impl fmt::Display for Holder {
    /// Such as `nginx -g 'daemon off;' (process 812, user www-data, service nginx.service)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = match &self.user {
            Some(user) => format!("user {user}"),
            None => format!("user {}", self.uid),
        };
        match (self.command_line(), self.pid) {
            (Some(command), Some(pid)) => write!(f, "{command} (process {pid}, {user}")?,
            (None, Some(pid)) => write!(f, "process {pid} ({user}")?,
            (_, None) => write!(f, "a process that cannot be seen ({user}")?,
        }
        match &self.unit {
            Some(unit) if unit.is_socket() => write!(f, ", socket unit {unit}")?,
            Some(unit) => write!(f, ", service {unit}")?,
            None => {}
        }
        if let Some(container) = &self.container {
            write!(f, ", {container}")?;
        }
        f.write_str(")")
    }
}

/// The processes that listen where `address` and `port` cannot be listened on any more for it: on the same address, on the wildcard, on the IPv6 wildcard
/// where that takes IPv4 too; each process once, the oldest first. Processes that share one listener are all there. A port that is taken without a
/// listener (a connection that comes from it) has no holder.
///
/// # Errors
/// When `/proc` cannot be read. [`io::ErrorKind::Unsupported`] on systems other than Linux.
pub fn find(address: IpAddr, port: u16) -> io::Result<Vec<Holder>> {
    #[cfg(target_os = "linux")]
    return linux::find(address.to_canonical(), port);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (address, port);
        Err(io::Error::new(io::ErrorKind::Unsupported, "who holds a port is known on Linux only"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
