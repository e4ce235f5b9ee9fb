//! What goes through a session, and how much of it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

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

/// What a port speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

impl From<towline_core::Protocol> for Protocol {
    fn from(protocol: towline_core::Protocol) -> Self {
        match protocol {
            towline_core::Protocol::Tcp => Self::Tcp,
            towline_core::Protocol::Udp => Self::Udp,
        }
    }
}

/// A local port that does not take connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SilentPort {
    /// The container's port.
    pub remote: u16,
    /// What it speaks.
    pub protocol: Protocol,
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
    /// What it speaks.
    pub protocol: Protocol,
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

/// One connection, or the datagrams of one peer, for the Traffic tab.
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
    /// From the cluster: `127.0.0.1:8080`. From this machine: `catalogue.shop:80`, or `dns.kube-system:53/UDP`.
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
