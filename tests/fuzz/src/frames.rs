//! Streams of JSON behind its length, which the helper and the tunnel both have: what an input stands for, and what a reader is to make of it.

use serde::de::DeserializeOwned;

/// The stream that an input stands for: itself, or each of its lines as a frame. A fuzzer seldom gets a length right.
pub(crate) enum Stream<'a> {
    /// The bytes as they are.
    Raw(&'a [u8]),
    /// Each line is a frame's text.
    Lines(&'a [u8]),
}

impl<'a> Stream<'a> {
    /// The first byte of an input says how the rest is taken, and its second in what pieces it comes: a capital letter for bytes as they are. Also gives
    /// the letter's number, and the size of a piece.
    pub(crate) fn of(input: &'a [u8]) -> Option<(Self, u8, usize)> {
        let [letter, size, rest @ ..] = input else { return None };
        let stream = if letter & 0x20 == 0 { Self::Raw(rest) } else { Self::Lines(rest) };
        Some((stream, letter & 0x1f, usize::from(*size) + 1))
    }

    /// The stream's bytes, behind what stands before frames.
    pub(crate) fn bytes(&self, before: &[u8]) -> Vec<u8> {
        match self {
            Self::Raw(bytes) => bytes.to_vec(),
            Self::Lines(lines) => {
                let mut bytes = before.to_vec();
                for line in lines.split(|byte| *byte == b'\n') {
                    bytes.extend_from_slice(&(line.len() as u32).to_be_bytes());
                    bytes.extend_from_slice(line);
                }
                bytes
            }
        }
    }
}

/// How a stream of frames ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// So many bytes are there, and no whole frame.
    Cut(usize),
    /// A frame of that many bytes is announced.
    TooLong(usize),
    /// A frame is not the JSON that is expected.
    Malformed(String),
}

/// What the bytes say, read in the plainest way: frames of at most `limit` bytes, until there is none.
pub(crate) fn read<T: DeserializeOwned>(mut bytes: &[u8], limit: usize) -> (Vec<T>, End) {
    let mut values = Vec::new();
    loop {
        let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
            return (values, End::Cut(bytes.len()));
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > limit {
            return (values, End::TooLong(length));
        }
        let Some((text, after)) = rest.split_at_checked(length) else {
            return (values, End::Cut(bytes.len()));
        };
        match serde_json::from_slice(text) {
            Ok(value) => values.push(value),
            Err(error) => return (values, End::Malformed(error.to_string())),
        }
        bytes = after;
    }
}
