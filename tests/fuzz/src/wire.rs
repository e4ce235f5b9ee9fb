//! What the core and its agent say to each other: the handshake, the headers of streams, control messages, answers, chunks of connections, records of
//! files, and the multiplexer below them.

mod chunks;
mod control;
mod handshake;
mod mux;
mod pipe;
mod records;
mod resume;

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use towline_wire::control::Message;
use towline_wire::files::{Listed, Measured, Mount, Refusal, Version};
use towline_wire::frame::{self, FrameError, LONGEST};
use towline_wire::header::{Resolved, ToAgent, ToClient, Variable};

use self::pipe::{now, one_way};
use crate::frames::{End, Stream, read};

/// The most memory that an input may take, in bytes: room for the longest frame that may be announced, and as much again for all else.
pub const MEMORY: usize = 2 * LONGEST as usize;

/// Reads the input as what its first letter says.
pub fn check(input: &[u8]) {
    let Some((stream, kind, size)) = Stream::of(input) else { return };
    match kind % 12 {
        0 | 10 => mux::check(&stream.bytes(&[]), size),
        1 => frames::<ToAgent>(&stream.bytes(&[]), size),
        2 => frames::<ToClient>(&stream.bytes(&[]), size),
        3 => frames::<Message>(&stream.bytes(&[]), size),
        4 => answers(&stream.bytes(&[]), size),
        5 => handshake::agent(&stream, size),
        6 => handshake::client(&stream.bytes(&[]), size),
        7 => chunks::check(&stream.bytes(&[]), size),
        8 => records::check(&stream, size),
        11 => resume::check(&stream.bytes(&[]), size),
        _ => control::check(&stream.bytes(&[]), size),
    }
}

/// However the bytes are cut, the reader makes of them what they say, and each value comes back when it is written.
fn frames<T>(bytes: &[u8], size: usize)
where
    T: DeserializeOwned + Serialize + PartialEq + Debug,
{
    let (expected, end) = read::<T>(bytes, LONGEST as usize);
    let (values, error) = one_way(bytes, size, async |pipe| {
        let mut values = Vec::new();
        loop {
            match frame::read::<T>(pipe).await {
                Ok(value) => values.push(value),
                Err(error) => return (values, error),
            }
        }
    });
    assert_eq!(values, expected);
    match (end, error) {
        (End::Cut(_), FrameError::Io(_)) => {}
        (End::TooLong(length), FrameError::TooLong(told)) => assert_eq!(told as usize, length),
        (End::Malformed(text), FrameError::Json(told)) => assert_eq!(told.to_string(), text),
        (end, error) => panic!("{end:?} was expected, and it was {error:?}"),
    }
    for value in &values {
        let written = write(value);
        let again = one_way(&written, size, async |pipe| frame::read::<T>(pipe).await);
        assert_eq!(again.as_ref().ok(), Some(value), "{again:?}");
        assert_eq!(again.ok().map(|again| write(&again)), Some(written), "the same bytes again");
    }
}

/// Each of the answers to a question.
fn answers(bytes: &[u8], size: usize) {
    frames::<Resolved>(bytes, size);
    frames::<Vec<Variable>>(bytes, size);
    frames::<Vec<String>>(bytes, size);
    frames::<Result<Vec<Mount>, Refusal>>(bytes, size);
    frames::<Result<Measured, Refusal>>(bytes, size);
    frames::<Result<Listed, Refusal>>(bytes, size);
    frames::<Result<Version, Refusal>>(bytes, size);
}

/// A value as a frame.
fn write(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    now(frame::write(&mut bytes, value)).expect("what came in a frame fits into one");
    bytes
}
