//! What can go wrong between a program and the helper.

use std::io;
use std::path::PathBuf;

use towline_machine::LoopbackAddress;

use crate::protocol::{Answer, Hello, Refusal};

/// The helper cannot be had, or did not do what was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelperError {
    /// The user, or a rule of the administrator's, said no. Not a fault: go on without administrator rights, or ask again.
    #[error("administrator rights were not granted")]
    NotGranted {
        /// What the system's prompt said.
        detail: String,
    },
    /// Nothing on this machine can ask the user for administrator rights.
    #[error("nothing here can ask for administrator rights: {detail}")]
    NoPrompt {
        /// What is missing.
        detail: String,
    },
    /// The helper's program is not there.
    #[error("the helper's program is not installed: it was looked for as {}", list(.tried))]
    NotInstalled {
        /// Where it was looked for.
        tried: Vec<PathBuf>,
    },
    /// It was started and ended, or does not answer.
    #[error("the helper did not start: {detail}")]
    NotStarted {
        /// What it said.
        detail: String,
    },
    /// A helper of another version runs.
    #[error(
        "the helper that runs is of Towline {} (protocol {}), this is Towline {} (protocol {})",
        .theirs.release, .theirs.protocol, .ours.release, .ours.protocol
    )]
    OtherVersion {
        /// The helper's.
        theirs: Hello,
        /// This program's.
        ours: Hello,
    },
    /// What answers in the helper's place does not have the superuser's rights.
    #[error("what answers at {} is not the helper: it runs as user {uid}, not as the superuser", .socket.display())]
    Impostor {
        /// The socket.
        socket: PathBuf,
        /// Who answers.
        uid: u32,
    },
    /// The port is taken.
    #[error("port {port} of {address} is taken")]
    PortTaken {
        /// The address.
        address: LoopbackAddress,
        /// The port.
        port: u16,
    },
    /// The helper refused, and nothing was changed.
    #[error("the helper refused: {0}")]
    Refused(Refusal),
    /// The connection is lost, and with it what was asked for: the helper has undone it, or was killed.
    #[error("the helper is gone: {reason}")]
    Gone {
        /// Why.
        reason: String,
    },
    /// The system did not let us speak with the helper.
    #[error("cannot speak with the helper at {}: {detail}", .socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        detail: String,
    },
}

impl HelperError {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotGranted { .. } => {
                "connect without administrator rights (--no-admin): services are then reached by the service variables only; or connect again and grant them"
            }
            Self::NoPrompt { .. } => {
                "start a polkit agent (desktops have one; in a terminal, pkttyagent), or start Towline as root, or connect without administrator rights (--no-admin)"
            }
            Self::NotInstalled { .. } => {
                "install Towline's package, or put towline-helper beside the program (`cargo xtask build` does); or connect without administrator rights (--no-admin)"
            }
            Self::OtherVersion { .. } => {
                "end the other Towline; its helper ends ten seconds later. Then connect again"
            }
            Self::PortTaken { .. } => "free the port, or leave it out",
            Self::Gone { .. } => "connect again: a new helper cleans what the old one left",
            Self::NotStarted { .. } => "connect without administrator rights (--no-admin)",
            Self::Impostor { .. } | Self::Refused(_) | Self::Connect { .. } => return None,
        })
    }

    /// What the system said, for those who want to know more than the message.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::NotGranted { detail } => {
                Some(detail).filter(|detail| !detail.is_empty()).map(String::as_str)
            }
            _ => None,
        }
    }

    pub(crate) fn unexpected(answer: &Answer) -> Self {
        match answer {
            Answer::Refused(refusal) => Self::Refused(refusal.clone()),
            other => Self::Gone { reason: format!("it answered something else: {other:?}") },
        }
    }

    pub(crate) fn connect(socket: PathBuf, error: &io::Error) -> Self {
        Self::Connect { socket, detail: error.to_string() }
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
