//! A session on screen.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{InboundPort, LaunchRequest, Mode, Report, SessionVolume, Tone};

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

/// The tunnel to one pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Tunnel {
    /// The pod.
    pub pod: String,
    /// Whether it stands.
    pub up: bool,
    /// The last round trip, in microseconds.
    #[ts(type = "number | null")]
    pub round_trip_us: Option<u64>,
}

/// A local port that does not take connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SilentPort {
    /// The container's port.
    pub remote: u16,
    /// The local port.
    pub local: u16,
    /// Why.
    pub reason: String,
}

/// A service's port on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// The service's namespace.
    pub namespace: String,
    /// The service.
    pub service: String,
    /// The service's port.
    pub port: u16,
    /// The service's name for the port.
    pub port_name: Option<String>,
    /// The address on this machine, as `127.0.0.1:35001`.
    pub local: String,
    /// Where connections go, seen from the pod, as `10.96.1.20:80`; null: not known yet.
    pub target: Option<String>,
    /// The names by which this machine finds it, the shortest first; none in the mode without administrator rights.
    pub names: Vec<String>,
    /// When a connection to it was last opened.
    #[ts(type = "number | null")]
    pub last_used: Option<i64>,
    /// How many connections there were.
    #[ts(type = "number")]
    pub connections: u64,
}

/// What a test of a listener found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ListenerTest {
    /// Whether the service took the connection.
    pub reached: bool,
    /// How long it took.
    #[ts(type = "number")]
    pub took_ms: u64,
    /// The sentence.
    pub message: String,
}

/// Live figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Connections from the cluster, open now.
    pub inbound_open: u32,
    /// Connections from this machine, open now.
    pub outbound_open: u32,
    /// Connections since the start.
    #[ts(type = "number")]
    pub connections: u64,
    /// Bytes from the cluster.
    #[ts(type = "number")]
    pub bytes_in: u64,
    /// Bytes to the cluster.
    #[ts(type = "number")]
    pub bytes_out: u64,
    /// Bytes both ways in each of the last 60 seconds, the oldest first.
    #[ts(type = "number[]")]
    pub per_second: Vec<u64>,
}

/// One connection, for the Traffic tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Unique within the session, counting up.
    #[ts(type = "number")]
    pub id: u64,
    /// Whether it came from the cluster.
    pub inbound: bool,
    /// From the cluster: the pod that received it. From this machine: `this machine`.
    pub from: String,
    /// From the cluster: `127.0.0.1:8080`. From this machine: `catalogue.shop:80`.
    pub to: String,
    /// When it was opened.
    #[ts(type = "number")]
    pub opened: i64,
    /// When it was closed; null: open.
    #[ts(type = "number | null")]
    pub closed: Option<i64>,
    /// Bytes towards this machine.
    #[ts(type = "number")]
    pub bytes_in: u64,
    /// Bytes towards the cluster.
    #[ts(type = "number")]
    pub bytes_out: u64,
    /// Why it failed, if it did.
    pub error: Option<String>,
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

/// A variable of the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value for the local program; null for a secret that was not asked for. Bytes that are no UTF-8 are shown replaced.
    pub value: Option<String>,
    /// Whether it comes from a secret.
    pub secret: bool,
    /// Where it comes from, such as `config map shop, key greeting`.
    pub origin: String,
    /// `literal`, `configMap`, `secret`, `field`, `resource`, `image`, `service`, `runtime`, `towline`, `oneOf`, `file`.
    pub origin_kind: String,
    /// The value in the cluster where it was rewritten for this machine; null where not, and for secrets.
    pub cluster_value: Option<String>,
    /// Whether the program keeps this machine's own value.
    pub stays_local: bool,
    /// How it compares with this machine's own environment.
    pub here: Here,
}

/// How a variable compares with this machine's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Here {
    /// This machine has none of that name.
    Absent,
    /// The same value.
    Same,
    /// Another value.
    Different,
}

/// The forms in which the environment can be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum EnvironmentFormat {
    /// A dotenv file.
    Dotenv,
    /// `export NAME='value'` lines for sh.
    Shell,
    /// `$env:NAME = 'value'` lines.
    PowerShell,
    /// A file for `docker run --env-file`; values with line breaks cannot stand there and are told in comments.
    Docker,
    /// A configuration for VS Code's `launch.json`.
    LaunchJson,
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
