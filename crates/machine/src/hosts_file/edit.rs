//! The changes, as functions from bytes to bytes.

use super::block::text;
use super::lines::{OurLine, split};
use super::{HostsEntry, Owner};
use crate::SessionName;

/// The file with the session's block as given: in its old place, or at the end if it is new. Without entries it is removed.
pub fn apply(
    bytes: &[u8],
    session: &SessionName,
    owner: &Owner,
    entries: &[HostsEntry],
) -> Vec<u8> {
    let mut file = Lines::of(bytes);
    let place = file.remove(|of| of == session);
    if !entries.iter().all(|entry| entry.names.is_empty()) {
        file.insert(place, &text(session, owner, entries));
    }
    file.into_bytes()
}

/// The file without the session's block.
pub fn remove(bytes: &[u8], session: &SessionName) -> Vec<u8> {
    remove_where(bytes, |of| of == session)
}

/// The file without the blocks of the sessions that are `unwanted`.
pub fn remove_where(bytes: &[u8], unwanted: impl Fn(&SessionName) -> bool) -> Vec<u8> {
    let mut file = Lines::of(bytes);
    file.remove(unwanted);
    file.into_bytes()
}

/// A file in lines, each with its ending. The last has none if the file had none: adding and removing at the end keep it so, and so nobody needs to
/// remember how the file ended before.
struct Lines {
    lines: Vec<Vec<u8>>,
    ending: &'static [u8],
}

impl Lines {
    fn of(bytes: &[u8]) -> Self {
        Self { lines: split(bytes).map(<[u8]>::to_vec).collect(), ending: ending(bytes) }
    }

    /// Takes out the lines of these sessions, and tells where the first stood: the end, if there was none.
    fn remove(&mut self, unwanted: impl Fn(&SessionName) -> bool) -> usize {
        let is_unwanted =
            |line: &[u8]| OurLine::parse(line).is_some_and(|ours| unwanted(ours.session()));
        let Some(first) = self.lines.iter().position(|line| is_unwanted(line)) else {
            return self.lines.len();
        };
        let was_open = !self.is_closed();
        self.lines.retain(|line| !is_unwanted(line));
        if was_open
            && let Some(last) = self.lines.last_mut()
            && let Some(content) = last.strip_suffix(self.ending)
        {
            last.truncate(content.len());
        }
        first
    }

    fn insert(&mut self, place: usize, new: &[String]) {
        let at_end = place == self.lines.len();
        let opens = at_end && !self.is_closed();
        if opens && let Some(last) = self.lines.last_mut() {
            last.extend_from_slice(self.ending);
        }
        let with_ending = new.iter().map(|line| [line.as_bytes(), self.ending].concat());
        let with_ending: Vec<_> = with_ending.collect();
        self.lines.splice(place..place, with_ending);
        if opens && let Some(last) = self.lines.last_mut() {
            last.truncate(last.len() - self.ending.len());
        }
    }

    /// Whether the last line has its ending.
    fn is_closed(&self) -> bool {
        self.lines.last().is_none_or(|last| last.ends_with(b"\n"))
    }

    fn into_bytes(self) -> Vec<u8> {
        self.lines.concat()
    }
}

/// How the file's lines end, which is how its first line ends. A file of a single line without an end is LF, unless a CR is its last byte: with LF added it
/// would read as CRLF the next time.
fn ending(bytes: &[u8]) -> &'static [u8] {
    let first = split(bytes).next().unwrap_or_default();
    if first.ends_with(b"\r\n") || first.ends_with(b"\r") { b"\r\n" } else { b"\n" }
}
