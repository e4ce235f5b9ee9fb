//! What Towline's core (the client) and its agent (in the pod) say to each other.
//!
//! One byte pipe (a port-forward) connects the two. On it, in this order:
//!
//! 1. [`handshake`]: magic, version range, the session's key; the agent accepts or says why not.
//! 2. [`resume`]: frames that make a pipe outlive its connection; from version 2 of the protocol on.
//! 3. [`mux`]: yamux, so that many streams share the pipe, each with its own flow control.
//! 4. On each stream one length-prefixed JSON header ([`header`]) that says what it is for, and then
//!    - for `control`: messages of [`control`], heartbeats among them;
//!    - for a connection (`dial`, `incoming`): the chunks of [`chunk`], pumped by [`carry`];
//!    - for UDP (`dial_udp`, `incoming_udp`): the same chunks, a datagram each, pumped by [`datagrams`];
//!    - for a question (`environment`, `resolve`): one JSON answer;
//!    - for `files`: what [`files`] says.
//!
//! Nothing here knows Kubernetes.

pub mod carry;
pub mod chunk;
pub mod control;
pub mod datagrams;
pub mod files;
pub mod frame;
pub mod handshake;
pub mod header;
pub mod key;
pub mod mux;
pub mod resume;

pub use carry::{CarryError, Meter, Traffic, carry};
pub use chunk::{Failure, FailureKind};
pub use datagrams::{Flows, Peer, carry_datagrams};
pub use header::{Protocol, Resolved, ToAgent, ToClient};
pub use key::{InvalidKey, InvalidSessionId, KeyDigest, SessionId, SessionKey};
