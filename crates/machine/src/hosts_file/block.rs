//! The block of one session, and its text.

use std::fmt::Write;

use super::HostsEntry;
use crate::process::{self, ProcessId};
use crate::{HostName, SessionName};

/// The lines of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The session.
    pub session: SessionName,
    /// Who wrote it; nothing where the first line is lost or broken.
    pub owner: Option<Owner>,
    /// The entries; names of one address that stand in following lines are together.
    pub entries: Vec<HostsEntry>,
    /// Whether the first and the last line are there, once each, with nothing else between.
    pub whole: bool,
}

/// The helper that wrote a block, and its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user whose session it is.
    pub uid: u32,
    /// The helper.
    pub helper: ProcessId,
    /// The boot in which it runs, see [`process::boot`].
    pub boot: String,
}

/// What every line of ours has, before the session's name.
pub(super) const BEGIN: &str = "# towline begin ";
pub(super) const END: &str = "# towline end ";
pub(super) const ENTRY: &str = " # towline ";

/// Windows takes at most nine names a line, musl reads lines of at most 511 bytes.
const NAMES_A_LINE: usize = 8;
const BYTES_A_LINE: usize = 400;

impl Block {
    /// Whether the helper that would remove the block is gone.
    pub fn is_stale(&self) -> bool {
        self.owner.as_ref().is_none_or(|owner| !owner.is_alive())
    }
}

impl Owner {
    /// The owner of what this process writes for the user.
    ///
    /// # Errors
    ///
    /// When the system does not tell when this process started.
    pub fn own(uid: u32) -> std::io::Result<Self> {
        let helper = ProcessId::own().ok_or_else(|| {
            std::io::Error::other("the system does not tell when this process started")
        })?;
        Ok(Self { uid, helper, boot: process::boot() })
    }

    /// Whether the helper still runs.
    pub fn is_alive(&self) -> bool {
        self.boot == process::boot() && self.helper.is_running()
    }

    /// Reads `uid=1000 helper=42:123456@0a1b2c3d`, and whatever follows.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let uid = words.next()?.strip_prefix("uid=")?.parse().ok()?;
        let (process, boot) = words.next()?.strip_prefix("helper=")?.split_once('@')?;
        let (pid, started) = process.split_once(':')?;
        let helper = ProcessId { pid: pid.parse().ok()?, started: started.parse().ok()? };
        Some(Self { uid, helper, boot: boot.to_owned() })
    }
}

/// The lines of a block, without line endings.
pub(super) fn text(session: &SessionName, owner: &Owner, entries: &[HostsEntry]) -> Vec<String> {
    let Owner { uid, helper: ProcessId { pid, started }, boot } = owner;
    let mut lines = vec![format!(
        "{BEGIN}{session} uid={uid} helper={pid}:{started}@{boot} (removed when the session ends)"
    )];
    for entry in entries {
        for names in in_lines(&entry.names) {
            let mut line = entry.address.to_string();
            for name in names {
                write!(line, " {name}").expect("a string takes all that is written");
            }
            lines.push(format!("{line}{ENTRY}{session}"));
        }
    }
    lines.push(format!("{END}{session}"));
    lines
}

/// Cuts the names into pieces that fit into a line.
fn in_lines(names: &[HostName]) -> Vec<&[HostName]> {
    let mut pieces = Vec::new();
    let mut rest = names;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fit = rest.iter().take(NAMES_A_LINE).take_while(|name| {
            bytes += name.as_str().len() + 1;
            bytes <= BYTES_A_LINE
        });
        // One name has at most 253 bytes, so at least one always fits.
        let (piece, after) = rest.split_at(fit.count().max(1));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
