//! What a session tells: numbered events, and the state that they add up to.

use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use towline_wire::{Protocol, SessionId};
use towline_workload::{SessionRecord, WorkloadRef};

use crate::report::Report;

/// One event. The numbers of a session start at 1 and have no gaps; whoever misses one asks for a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The number.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// A step of connecting or of restoring began.
    Step {
        /// Which.
        step: Step,
    },
    /// An agent's tunnel stands.
    TunnelUp {
        /// The pod.
        pod: String,
        /// The agent's release.
        release: String,
    },
    /// An agent's tunnel is gone; the session connects again by itself as long as the pod is there.
    TunnelDown {
        /// The pod.
        pod: String,
        /// Why.
        reason: String,
    },
    /// An agent's tunnel has lost its connection to the cluster and goes on over another one; what was open is open still.
    TunnelResumed {
        /// The pod.
        pod: String,
        /// How long it was without a connection, in milliseconds.
        after_ms: u64,
    },
    /// Every replica that is there has its tunnel, the environment is known: the session does its job.
    Connected {
        /// The pods.
        pods: Vec<String>,
        /// Where the environment stands as a dotenv file.
        env_file: PathBuf,
    },
    /// The cluster cannot be reached at the moment; listeners stay open, the program is left alone.
    Reconnecting {
        /// Why.
        reason: String,
    },
    /// All is as before the loss.
    Reconnected {
        /// How long it took, in milliseconds.
        after_ms: u64,
    },
    /// A service can be reached on this machine.
    ServiceAdded {
        /// `name.namespace`.
        service: String,
        /// The service's port.
        port: u16,
        /// What it speaks.
        #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
        protocol: Protocol,
        /// The local address that stands for it.
        local: SocketAddr,
    },
    /// A service is gone, and its listener too.
    ServiceRemoved {
        /// `name.namespace`.
        service: String,
        /// The service's port.
        port: u16,
        /// What it speaks.
        #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
        protocol: Protocol,
    },
    /// The session's lines in the hosts file have changed.
    NamesChanged {
        /// How many names they have now.
        names: usize,
    },
    /// A connection from the cluster could not be handed to the local port. Told once for each port until one succeeds again.
    LocalPortSilent {
        /// The container's port.
        remote: u16,
        /// What it speaks.
        #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
        protocol: Protocol,
        /// The port on this machine.
        local: u16,
        /// Why.
        reason: String,
    },
    /// The local port takes connections again.
    LocalPortAnswers {
        /// The container's port.
        remote: u16,
        /// What it speaks.
        #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
        protocol: Protocol,
        /// The port on this machine.
        local: u16,
    },
    /// A connection from this machine could not be made in the cluster.
    DialFailed {
        /// `name.namespace:port`.
        to: String,
        /// Why.
        reason: String,
    },
    /// The agent could not listen on a port of its pod.
    PortNotServed {
        /// The pod.
        pod: String,
        /// The container's port.
        port: u16,
        /// What it speaks.
        #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
        protocol: Protocol,
        /// Why.
        reason: String,
    },
    /// A volume's files on this machine are new ones, as in the pod.
    VolumeRefreshed {
        /// Where the container has it.
        mount: String,
        /// How many files it has.
        files: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// A volume could not be copied, or not be kept fresh. Told once until it succeeds again.
    VolumeFailed {
        /// Where the container has it.
        mount: String,
        /// Why.
        reason: String,
    },
    /// Something that the user should know and that changes nothing.
    Warning {
        /// The sentence.
        message: String,
    },
    /// Somebody changed the workload; theirs stays, the session ends.
    Overwritten {
        /// Who, as the API server knows the writer (its field manager), where that can be told.
        by: Option<String>,
        /// What they changed.
        fields: Vec<String>,
    },
    /// Another session has taken the workload over; this one ends and restores nothing.
    TakenOver {
        /// By whom.
        by: Option<SessionRecord>,
    },
    /// The cluster restored the workload by itself, because this client was away for longer than the lease.
    Lapsed,
    /// The workload is what it was, and nothing of the session is left in the cluster.
    Restored {
        /// Fields that somebody else had changed meanwhile and that were left as they are.
        kept: Vec<String>,
    },
    /// The session is over. The last event.
    Ended {
        /// How.
        end: End,
    },
}

/// The steps, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The names and addresses on this machine are made ready, where they need the administrator's rights.
    Names,
    /// The lease is taken.
    Lease,
    /// The restorer is started and awaited.
    Restorer,
    /// The workload is patched.
    Patch,
    /// The agent's pods are awaited.
    Pods,
    /// The environment is read.
    Environment,
    /// The local listeners are opened.
    Listeners,
    /// The workload is put back.
    Restore,
    /// The workload's own pods are awaited.
    Rollback,
    /// The session's objects are removed.
    Sweep,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum End {
    /// As asked; the workload is restored.
    Stopped,
    /// Somebody deployed; theirs stays.
    Overwritten,
    /// Another session has the workload.
    TakenOver,
    /// The cluster had restored the workload during a long loss.
    Lapsed,
    /// The workload was deleted.
    Deleted,
    /// It could not be connected, or not be put back.
    Failed {
        /// Why.
        error: Report,
    },
}

/// The whole state of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The number of the last event that is contained.
    pub seq: u64,
    /// The session.
    pub session: SessionId,
    /// The workload.
    pub workload: WorkloadRef,
    /// The state.
    pub phase: Phase,
    /// Since when it is in that state.
    pub since: Timestamp,
    /// The agent's pods.
    pub tunnels: Vec<Tunnel>,
    /// The services on this machine.
    pub listeners: Vec<Listener>,
    /// Connections from the cluster: open now.
    pub inbound_open: u64,
    /// Connections from this machine: open now.
    pub outbound_open: u64,
    /// Connections since the start, both ways.
    pub connections: u64,
    /// Bytes that came from the cluster to this machine.
    pub bytes_in: u64,
    /// Bytes that went from this machine to the cluster.
    pub bytes_out: u64,
    /// Where the environment stands as a dotenv file, once known.
    pub env_file: Option<PathBuf>,
}

/// The states of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// On the way to [`Phase::Connected`].
    Connecting {
        /// The step that it is at.
        step: Step,
    },
    /// It does its job.
    Connected,
    /// The cluster cannot be reached at the moment.
    Reconnecting {
        /// Why.
        reason: String,
    },
    /// The cluster has restored the workload during a long loss. Listeners stay; `Session::reconnect` connects again, `Session::stop` ends.
    Lapsed,
    /// On the way to the end.
    Stopping {
        /// The step that it is at.
        step: Step,
    },
    /// Over.
    Ended(End),
}

/// The state of the tunnel to one pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tunnel {
    /// The pod.
    pub pod: String,
    /// Whether it stands.
    pub up: bool,
    /// The last measured round trip, in microseconds.
    pub round_trip_us: Option<u64>,
}

/// A service's port on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// The service's namespace; empty for a host outside the cluster.
    pub namespace: String,
    /// The service's name; a pod of a headless service has its own before it, a host outside the cluster its whole name.
    pub service: String,
    /// The service's port.
    pub port: u16,
    /// What it speaks.
    #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
    pub protocol: Protocol,
    /// The service's name for the port.
    pub port_name: Option<String>,
    /// The address on this machine.
    pub local: SocketAddr,
}

impl Listener {
    /// `name.namespace`, or the name of a host outside the cluster.
    pub fn full_name(&self) -> String {
        match self.namespace.as_str() {
            "" => self.service.clone(),
            namespace => format!("{}.{namespace}", self.service),
        }
    }
}
