//! What helper and client say to each other: JSON in frames ([`crate::frame`]), a [`Hello`] first, answered by a [`Greeting`], then [`Call`]s, answered by
//! [`Reply`]s in any order. A listening socket travels beside the frame of its reply (`SCM_RIGHTS`, unix(7)).

use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};
use towline_machine::holder::{Claim, Holder, StopSignal, Unit};
use towline_machine::{HostsEntry, LoopbackAddress, SessionName};

/// The version of all that is here but [`Hello`] and [`Greeting`], which stay as they are.
pub const PROTOCOL: u32 = 1;

/// Who speaks. The first frame of the client, and within [`Greeting`] of the helper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The version of the protocol; only equal ones speak with each other.
    pub protocol: u32,
    /// The release, for people.
    pub release: String,
}

impl Hello {
    /// What this build says.
    pub fn own() -> Self {
        Self { protocol: PROTOCOL, release: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// The helper's first frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Greeting {
    /// The client has said hello, or may do so. If the versions differ, the helper closes after this.
    Welcome(Hello),
    /// The helper closes.
    Refused(Refusal),
}

/// A request, and a number that its reply has too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The client's number for it.
    pub id: u32,
    /// What is asked for.
    pub request: Request,
}

/// All that the helper does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The session's block of the hosts file is to have these entries; without any it is removed. Answered by [`Answer::Done`].
    Hosts {
        /// The session. As long as this connection lasts, no other may ask for it.
        session: SessionName,
        /// All of its entries.
        entries: Vec<HostsEntry>,
    },
    /// A socket that listens on this port. Answered by [`Answer::Listening`].
    Listen {
        /// The address.
        address: LoopbackAddress,
        /// The port.
        port: NonZeroU16,
    },
    /// Who holds the port. Answered by [`Answer::Holders`].
    Holders {
        /// The address.
        address: LoopbackAddress,
        /// The port.
        port: NonZeroU16,
    },
    /// This very process, which must still hold that port, is to end. Answered by [`Answer::Signalled`].
    Signal {
        /// Which process, and which port.
        claim: Claim,
        /// How.
        signal: StopSignal,
    },
    /// The service of this very process, which must still hold that port, is to be stopped. Answered by [`Answer::Done`].
    StopUnit {
        /// Which process, and which port.
        claim: Claim,
        /// The service that it must belong to.
        unit: Unit,
    },
}

/// The answer to the call with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The call's number; nothing where the helper speaks unasked, before it closes.
    pub id: Option<u32>,
    /// The answer.
    pub answer: Answer,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// The socket comes with this frame.
    Listening,
    /// These hold the port.
    Holders(Vec<Holder>),
    /// The process was told to end.
    Signalled {
        /// Whether it has ended already.
        ended: bool,
    },
    /// It is not done, and nothing was changed.
    Refused(Refusal),
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The sort of reason.
    pub code: RefusalCode,
    /// The reason, for people.
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(code: RefusalCode, message: impl std::fmt::Display) -> Self {
        Self { code, message: message.to_string() }
    }
}

/// The sorts of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefusalCode {
    /// The frame is none, or not a request of this version.
    Malformed,
    /// More than the helper allows: names, sockets, connections, calls at once.
    TooMany,
    /// The client took too long.
    TooSlow,
    /// The client is not who may speak.
    Stranger,
    /// Another connection has the session.
    SessionTaken,
    /// The hosts file cannot be changed.
    HostsFile,
    /// The port is taken.
    PortTaken,
    /// The process does not hold the port any more, or is not in that service.
    Changed,
    /// The process is never stopped.
    Protected,
    /// The helper is ending.
    Ending,
    /// The system said no.
    System,
}
