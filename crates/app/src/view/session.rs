//! A session on screen.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{
    Figures, InboundPort, LaunchRequest, Listener, Mode, Report, SessionVolume, SilentPort, Tone,
    Tunnel,
};

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id.
    pub id: String,
    /// What was asked for.
    pub request: LaunchRequest,
    /// As `orders`: the target's name without its kind.
    pub title: String,
    /// The workload, as `deployment/orders`.
    pub workload: String,
    /// The container.
    pub container: String,
    /// When it began.
    #[ts(type = "number")]
    pub started: i64,
    /// Its state.
    pub phase: SessionPhase,
    /// Since when it is in that state.
    #[ts(type = "number")]
    pub since: i64,
    /// The steps so far, with their times.
    pub steps: Vec<StepTime>,
    /// The agents.
    pub tunnels: Vec<Tunnel>,
    /// Ports that come to this machine.
    pub inbound: Vec<InboundPort>,
    /// Local ports that did not take a connection, with the reason, until one succeeds.
    pub silent_ports: Vec<SilentPort>,
    /// Services on this machine, by namespace and name.
    pub listeners: Vec<Listener>,
    /// How names and ports of services come to this machine.
    pub mode: Mode,
    /// Volumes of the container.
    pub volumes: Vec<SessionVolume>,
    /// Live figures.
    pub figures: Figures,
    /// The local program.
    pub program: ProgramState,
    /// Where the environment stands as a dotenv file.
    pub env_file: Option<String>,
    /// How many events there were.
    #[ts(type = "number")]
    pub events: u64,
    /// What needs the user, if something does: one sentence.
    pub attention: Option<String>,
    /// Whether the cluster restores by itself when this machine is gone.
    pub restorer: bool,
    /// The equivalent `towline connect …` line.
    pub command_line: String,
}

/// The states of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "phase", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SessionPhase {
    /// On the way.
    Connecting {
        /// The step: `lease`, `restorer`, `patch`, `pods`, `environment`, `listeners`.
        step: String,
    },
    /// It does its job.
    Connected,
    /// The cluster cannot be reached at the moment; the program is left alone.
    Reconnecting {
        /// Why.
        reason: String,
    },
    /// The cluster has restored the workload during a long loss. `reconnect` connects again, `stop` ends.
    Lapsed,
    /// On the way to the end.
    Stopping {
        /// The step: `program` (the local program is told to end), `restore`, `rollback`, `sweep`.
        step: String,
    },
    /// Over.
    Ended {
        /// How.
        how: Ending,
        /// Good, warning or bad.
        tone: Tone,
        /// The sentence, such as `deployment/orders is what it was.`
        message: String,
        /// Why, where it failed.
        report: Option<Report>,
    },
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Ending {
    /// As asked; restored.
    Stopped,
    /// Somebody deployed; theirs stays.
    Overwritten,
    /// Another session took it over.
    TakenOver,
    /// The cluster had restored it during a long loss.
    Lapsed,
    /// The workload was deleted.
    Deleted,
    /// It could not be connected, or not be put back.
    Failed,
}

/// A step of connecting or of restoring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StepTime {
    /// Which.
    pub step: String,
    /// When it began.
    #[ts(type = "number")]
    pub began: i64,
    /// How long it took; null: under way.
    #[ts(type = "number | null")]
    pub took: Option<i64>,
    /// Whether the session broke off in it.
    pub failed: bool,
}

/// The local program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ProgramState {
    /// The user starts it.
    ByUser,
    /// It is started once connected, or was stopped before it was ever started.
    Waiting,
    /// It runs.
    Running {
        /// Its process number.
        pid: u32,
        /// Since when.
        #[ts(type = "number")]
        since: i64,
    },
    /// It was told to end and has not yet.
    Ending {
        /// Its process number.
        pid: u32,
    },
    /// It has ended.
    Exited {
        /// As `exit status 1` or `SIGKILL`.
        how: String,
        /// Whether it ended with status 0, or because it was told to.
        well: bool,
        /// When.
        #[ts(type = "number")]
        at: i64,
    },
    /// It could not be started.
    Failed {
        /// Why.
        report: Report,
    },
}

/// An event of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionEvent {
    /// Its number.
    #[ts(type = "number")]
    pub seq: u64,
    /// When.
    #[ts(type = "number")]
    pub time: i64,
    /// How bad it is.
    pub tone: Tone,
    /// As `Connected`, `Tunnel lost`.
    pub title: String,
    /// The rest.
    pub detail: String,
}
