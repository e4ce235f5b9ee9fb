//! Reading a hosts file line by line.

use std::net::IpAddr;
use std::str;

use super::block::{BEGIN, END, ENTRY};
use super::{Block, HostsEntry, HostsFile, Owner};
use crate::{HostName, LoopbackAddress, SessionName};

/// A line that is not ours and gives names to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherLine {
    /// Its number in the file; the first is 1.
    pub number: usize,
    /// The address, any.
    pub address: IpAddr,
    /// The names as they stand there.
    pub names: Vec<String>,
}

/// A line of ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OurLine {
    Begin(SessionName, Option<Owner>),
    Entry(SessionName, HostsEntry),
    End(SessionName),
}

impl OurLine {
    /// Reads a line, with or without its ending. Nothing, if it is not ours.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let text = str::from_utf8(content(line)).ok()?;
        if let Some(rest) = text.strip_prefix(BEGIN) {
            let (session, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            return Some(Self::Begin(session.parse().ok()?, Owner::parse(rest)));
        }
        if let Some(session) = text.strip_prefix(END) {
            return Some(Self::End(session.parse().ok()?));
        }
        let (entry, session) = text.rsplit_once(ENTRY)?;
        let session = session.parse().ok()?;
        let mut words = entry.split(' ');
        let address: LoopbackAddress = words.next()?.parse().ok()?;
        let names: Vec<HostName> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
        (!names.is_empty()).then_some(Self::Entry(session, HostsEntry { address, names }))
    }

    pub(super) fn session(&self) -> &SessionName {
        match self {
            Self::Begin(session, _) | Self::Entry(session, _) | Self::End(session) => session,
        }
    }
}

/// The lines of a file, each with its ending; the last may have none.
pub(super) fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

/// A line without its ending. Any number of CR belong to that, so that a line is read the same when it was the last and has got its ending since.
fn content(line: &[u8]) -> &[u8] {
    let mut line = line.strip_suffix(b"\n").unwrap_or(line);
    while let Some(shorter) = line.strip_suffix(b"\r") {
        line = shorter;
    }
    line
}

pub(super) fn read(bytes: &[u8]) -> HostsFile {
    let mut file = HostsFile::default();
    // The block whose lines come now, by its place among the blocks.
    let mut open: Option<usize> = None;
    for (index, line) in split(bytes).enumerate() {
        let Some(ours) = OurLine::parse(line) else {
            if let Some(open) = open {
                file.blocks[open].whole = false;
            }
            file.others.extend(other(line, index + 1));
            continue;
        };
        let known = file.blocks.iter().position(|block| block.session == *ours.session());
        if open != known
            && let Some(open) = open.take()
        {
            file.blocks[open].whole = false;
        }
        let (place, is_new) = match known {
            Some(place) => (place, false),
            None => {
                let session = ours.session().clone();
                file.blocks.push(Block { session, owner: None, entries: Vec::new(), whole: false });
                (file.blocks.len() - 1, true)
            }
        };
        let block = &mut file.blocks[place];
        match ours {
            OurLine::Begin(_, owner) => {
                block.whole = is_new;
                block.owner = if is_new { owner } else { block.owner.take().or(owner) };
                open = Some(place);
            }
            OurLine::Entry(_, entry) => {
                block.whole &= open == Some(place);
                block.add(entry);
            }
            OurLine::End(_) => {
                block.whole &= open == Some(place);
                open = None;
            }
        }
    }
    if let Some(open) = open {
        file.blocks[open].whole = false;
    }
    file
}

impl Block {
    fn add(&mut self, entry: HostsEntry) {
        match self.entries.last_mut() {
            Some(last) if last.address == entry.address => last.names.extend(entry.names),
            _ => self.entries.push(entry),
        }
    }
}

/// hosts(5): an address and names, separated by blanks or tabs; the rest from `#` on is a comment.
fn other(line: &[u8], number: usize) -> Option<OtherLine> {
    let text = String::from_utf8_lossy(content(line));
    let mut words = text.split('#').next()?.split_ascii_whitespace();
    let address = words.next()?.parse().ok()?;
    let names: Vec<String> = words.map(str::to_owned).collect();
    (!names.is_empty()).then_some(OtherLine { number, address, names })
}
