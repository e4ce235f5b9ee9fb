//! What a program sends to the helper with root's rights, and the helper to it.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use towline_helper::frame::{Decoder, FrameError, LIMIT, encode};
use towline_helper::protocol::{Call, Greeting, Hello, Reply, Request};
use towline_machine::hosts_file;

use crate::frames::{End, Stream, read};
use crate::hosts_file::{is_of, owner};

/// The most memory that an input may take, in bytes: the frames are here several times, and no announced length is room taken.
pub const MEMORY: usize = 1 << 20;

/// Reads the input as calls, hellos, greetings or replies.
pub fn check(input: &[u8]) {
    let Some((stream, kind, size)) = Stream::of(input) else { return };
    let bytes = stream.bytes(&[]);
    match kind % 4 {
        0 => drop(frames::<Hello>(&bytes, size)),
        1 => frames::<Call>(&bytes, size).iter().for_each(call),
        2 => drop(frames::<Greeting>(&bytes, size)),
        _ => drop(frames::<Reply>(&bytes, size)),
    }
}

/// However the bytes are cut, the decoder makes of them what they say, and each value can be said again in one way only.
fn frames<T>(bytes: &[u8], size: usize) -> Vec<T>
where
    T: DeserializeOwned + Serialize + PartialEq + Debug,
{
    let (expected, end) = read::<T>(bytes, LIMIT);
    for pieces in [size, bytes.len().max(1)] {
        let mut decoder = Decoder::default();
        let (values, error) = decode::<T>(&mut decoder, bytes.chunks(pieces));
        assert_eq!(values, expected);
        match (&end, error) {
            (End::Cut(left), None) => assert_eq!(decoder.is_partial(), *left > 0),
            (End::TooLong(length), Some(FrameError::TooLong { length: told })) => {
                assert_eq!(told, *length);
            }
            (End::Malformed(text), Some(FrameError::Malformed(told))) => {
                assert_eq!(told.to_string(), *text);
            }
            (end, error) => panic!("{end:?} was expected, and it was {error:?}"),
        }
    }
    for value in &expected {
        let frame = encode(value).expect("what came in a frame fits into one");
        let mut decoder = Decoder::default();
        let (again, error) = decode::<T>(&mut decoder, frame.chunks(size));
        assert!(error.is_none() && !decoder.is_partial(), "{value:?}: {error:?}");
        assert_eq!(again.as_slice(), std::slice::from_ref(value));
        assert_eq!(encode(&again[0]).expect("it fitted before"), frame);
    }
    expected
}

fn decode<'a, T: DeserializeOwned>(
    decoder: &mut Decoder,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<T>, Option<FrameError>) {
    let mut values = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        loop {
            match decoder.take() {
                Ok(Some(value)) => values.push(value),
                Ok(None) => break,
                Err(error) => return (values, Some(error)),
            }
        }
    }
    (values, None)
}

/// Whatever a program asks for the hosts file, no line comes of it that is not that session's own.
fn call(call: &Call) {
    if let Request::Hosts { session, entries } = &call.request {
        let file = hosts_file::apply(b"", session, &owner(), entries);
        for line in file.split_inclusive(|byte| *byte == b'\n') {
            assert!(is_of(line, session), "{:?} is not the session's", line.escape_ascii());
        }
    }
}
