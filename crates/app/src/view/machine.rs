//! This machine: the hosts file, administrator rights, who holds ports.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A line of the hosts file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HostsLine {
    /// The address, as `127.77.12.3`.
    pub address: String,
    /// The names.
    pub names: Vec<String>,
}

/// What administrator rights are for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Rights {
    /// The hosts file that lines are written to.
    pub hosts_file: String,
    /// Ports that only an administrator may listen on.
    pub ports: Vec<u16>,
    /// Whether the system will ask the user; it does not where the helper runs already, or this process has the rights itself.
    pub asks: bool,
}

/// The process with administrator rights.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HelperState {
    /// It is started when a session needs it.
    #[default]
    Idle,
    /// The system asks for the rights, or it starts.
    Starting,
    /// It runs.
    Running,
    /// It has ended, and sessions still need it.
    Lost,
    /// The user, or a rule of the system, has said no the last time.
    NotGranted,
    /// It could not be started.
    Failed {
        /// Why.
        message: String,
    },
}

/// A port of this machine that the session needs and somebody else has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TakenPort {
    /// The address, as `127.0.0.1`.
    pub address: String,
    /// The port.
    pub port: u16,
    /// The container's port whose connections come here, if it is for those.
    pub remote: Option<u16>,
    /// What needs it: `your program`, or services as `catalogue.shop`.
    pub wanted_by: Vec<String>,
    /// Who has it, the oldest process first; none where that cannot be told.
    pub holders: Vec<Holder>,
}

/// The process that holds a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// Its number; null: it is another user's, and only an administrator sees which it is.
    pub pid: Option<u32>,
    /// When it was started, in ticks since the system's start: with its number, what tells it from a later one of the same number.
    #[ts(type = "number | null")]
    pub started: Option<u64>,
    /// Its program, as `node`.
    pub program: String,
    /// Its command line.
    pub command: String,
    /// Whose it is.
    pub user: String,
    /// Whether it is this user's own.
    pub mine: bool,
    /// The systemd service that it belongs to, as `nginx.service`: stopping it stops that.
    pub unit: Option<String>,
    /// Why it is never stopped for a port, and what to do instead.
    pub never: Option<String>,
}

/// A process that is to be stopped, because the user has said so for this very process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StopHolder {
    /// The address that it holds.
    pub address: String,
    /// The port that it holds.
    pub port: u16,
    /// Its number.
    pub pid: u32,
    /// See [`Holder::started`].
    #[ts(type = "number")]
    pub started: u64,
    /// How.
    pub how: StopHow,
}

/// How a process is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum StopHow {
    /// It is told to end (SIGTERM), or its systemd service is stopped.
    Ask,
    /// It is ended (SIGKILL): the user has said it a second time.
    Kill,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Stopped {
    /// Whether the port is free now.
    pub free: bool,
    /// Whether the process has ended; otherwise it goes on.
    pub ended: bool,
    /// The sentence.
    pub message: String,
}
