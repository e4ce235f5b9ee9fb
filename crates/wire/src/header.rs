//! What a stream is for: the first thing written on it, by the side that opened it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// What a port speaks, as Kubernetes calls it. SCTP is not carried.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// TCP, which is what is meant where nothing is said.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Tcp, Self::Udp];

    /// What Kubernetes calls so; none for what is not carried.
    pub fn of(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("TCP") => Some(Self::Tcp),
            Some("UDP") => Some(Self::Udp),
            Some(_) => None,
        }
    }

    /// What stands behind a port's number where TCP goes without saying.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Tcp => "",
            Self::Udp => "/UDP",
        }
    }

    /// Whether this is TCP.
    pub fn is_tcp(&self) -> bool {
        *self == Self::Tcp
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

/// Streams that the client opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "open", rename_all = "snake_case")]
pub enum ToAgent {
    /// The one control stream; carries [`crate::control::Message`]s both ways.
    Control,
    /// A TCP connection to be made from the pod. The agent resolves `host` as the pod's own programs would, tries each address, and
    /// answers with [`crate::chunk::Kind::Ready`] or [`crate::chunk::Kind::Failed`].
    Dial {
        /// A name or an address.
        host: String,
        /// The TCP port.
        port: u16,
    },
    /// Datagrams to be sent from the pod, and their answers ([`crate::datagrams`]). The agent resolves `host` as above, takes its first address, and answers in
    /// the same way. Agents before this drop the stream.
    DialUdp {
        /// A name or an address.
        host: String,
        /// The UDP port.
        port: u16,
    },
    /// Asks for the agent's own environment, as the kubelet made it; answered by one frame holding a list of [`Variable`]s.
    Environment,
    /// Asks what a name resolves to in the pod; answered by one frame holding a [`Resolved`].
    Resolve {
        /// The name to look up.
        name: String,
    },
    /// Asks for the search list of the pod's /etc/resolv.conf (resolv.conf(5)), which has the cluster's domain; answered by one frame holding a list of
    /// names. Agents before this question drop the stream.
    SearchList,
    /// Asks for files of the container's volumes; see [`crate::files`].
    Files(crate::files::Ask),
}

/// Streams that the agent opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "open", rename_all = "snake_case")]
pub enum ToClient {
    /// Somebody connected to one of the container's ports. The client dials its local port and answers with
    /// [`crate::chunk::Kind::Ready`] or [`crate::chunk::Kind::Failed`]; bytes of the caller may come before that.
    Incoming {
        /// The container's port.
        port: u16,
        /// Who connected, as seen in the pod.
        peer: SocketAddr,
    },
    /// Somebody sent a datagram to one of the container's UDP ports. The client answers as above; datagrams come before that.
    IncomingUdp {
        /// The container's port.
        port: u16,
        /// Who sent it, as seen in the pod.
        peer: SocketAddr,
    },
}

/// One environment variable, byte for byte; neither part need be UTF-8, so both travel as lists of bytes where they are not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Variable {
    /// The name.
    pub name: Bytes,
    /// The value.
    pub value: Bytes,
}

/// Bytes that are usually text: a JSON string when they are UTF-8, else a JSON list of numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bytes {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Raw(Vec<u8>),
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Raw(error.into_bytes()), Self::Text)
    }
}

impl From<Bytes> for Vec<u8> {
    fn from(bytes: Bytes) -> Self {
        match bytes {
            Bytes::Text(text) => text.into_bytes(),
            Bytes::Raw(raw) => raw,
        }
    }
}

/// The answer to [`ToAgent::Resolve`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolved {
    /// The addresses; never empty.
    Addresses(Vec<IpAddr>),
    /// Why there are none.
    Failed(crate::chunk::Failure),
}
