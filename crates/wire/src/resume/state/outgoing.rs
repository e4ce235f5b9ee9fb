//! What goes out.

use std::collections::VecDeque;

use super::super::{CLOSE, DATA, HEADER, KEPT, LARGEST, RECEIVED, TELL_AFTER};
use super::incoming::Incoming;

/// What was written, from the first byte that the other side has not said to have.
#[derive(Default)]
pub(super) struct Outgoing {
    pub(super) kept: VecDeque<u8>,
    /// The number of the first byte that is kept.
    pub(super) begin: u64,
    /// What the other side has said to have. Less than [`Self::begin`] where more was under way than is kept.
    pub(super) told: u64,
    /// The number of the next byte that the carrier gets.
    pub(super) next: u64,
    /// The rest of a frame's header.
    pub(super) header: Rest,
    /// Bytes of the current frame's body that the carrier has not got yet.
    pub(super) body: u64,
    /// The carrier has something that it may still hold back.
    pub(super) unflushed: bool,
    /// The last frame is on its way.
    pub(super) closing: bool,
}

/// A header, as far as it is still to be written.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) bytes: [u8; HEADER],
    pub(super) written: usize,
    pub(super) length: usize,
}

impl Rest {
    pub(super) fn of(kind: u8, number: u64) -> Self {
        let mut bytes = [0; HEADER];
        bytes[0] = kind;
        bytes[1..].copy_from_slice(&number.to_be_bytes());
        Self { bytes, written: 0, length: HEADER }
    }

    pub(super) fn left(&self) -> &[u8] {
        &self.bytes[self.written..self.length]
    }
}

impl Outgoing {
    pub(super) fn end(&self) -> u64 {
        self.begin + self.kept.len() as u64
    }

    /// Whether the carrier has not got everything, or holds some of it back.
    pub(super) fn is_behind(&self) -> bool {
        self.unsent() > 0 || self.unflushed || !self.header.left().is_empty()
    }

    pub(super) fn unsent(&self) -> u64 {
        self.end() - self.next
    }

    /// What can be taken. Not much that has not been sent: small frames of other streams would have to wait behind it.
    pub(super) fn room(&self) -> usize {
        LARGEST.saturating_sub(usize::try_from(self.unsent()).unwrap_or(usize::MAX))
    }

    /// Lets go of what the other side has. `false`: it cannot have that.
    pub(super) fn forget(&mut self, received: u64) -> bool {
        if received < self.told || received > self.next {
            return false;
        }
        self.told = received;
        self.let_go(received.saturating_sub(self.begin) as usize);
        true
    }

    pub(super) fn let_go(&mut self, count: usize) {
        self.kept.drain(..count);
        self.begin += count as u64;
    }

    /// What of the current frame's body lies in one piece.
    pub(super) fn chunk(&self) -> &[u8] {
        let (from, left) = ((self.next - self.begin) as usize, self.body as usize);
        let (first, second) = self.kept.as_slices();
        let piece = match from.checked_sub(first.len()) {
            None => &first[from..],
            Some(from) => &second[from..],
        };
        &piece[..piece.len().min(left)]
    }

    pub(super) fn wrote(&mut self, count: usize) {
        self.unflushed = true;
        if self.header.left().is_empty() {
            self.next += count as u64;
            self.body -= count as u64;
            // What the carrier has not got stays, however much that is.
            let sent = (self.next - self.begin) as usize;
            self.let_go(self.kept.len().saturating_sub(KEPT).min(sent));
        } else {
            self.header.written += count;
        }
    }

    /// The header of the frame that goes next.
    pub(super) fn next_frame(&mut self, incoming: &mut Incoming) -> Option<Rest> {
        if incoming.received - incoming.told >= TELL_AFTER {
            incoming.told = incoming.received;
            return Some(Rest::of(RECEIVED, incoming.received));
        }
        if self.unsent() > 0 {
            self.body = self.unsent().min(LARGEST as u64);
            return Some(Rest::of(DATA, self.body));
        }
        // Once.
        let closes = self.closing && self.header.bytes[0] != CLOSE;
        closes.then(|| Rest::of(CLOSE, 0))
    }
}
