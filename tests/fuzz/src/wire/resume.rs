//! The frames of a pipe that outlives its connection.

use tokio::io::AsyncReadExt;
use towline_wire::resume;

use super::pipe::both_ways;

/// A frame's kind and number.
const HEADER: usize = 9;
const DATA: u8 = 0;
const RECEIVED: u8 = 1;
const CLOSE: u8 = 2;
const LARGEST: u64 = 128 * 1024;

/// What was in whole frames, or has come of the last one, comes out, and then the pipe ends: by a word, by nonsense, or because nobody goes on with it.
pub(super) fn check(bytes: &[u8], size: usize) {
    let ((read, received), _) = both_ways(bytes, size, async |near| {
        let (mut pipe, handle) = resume::begin(7, near);
        let mut received = Vec::new();
        let read = pipe.read_to_end(&mut received).await;
        assert_eq!(handle.detach().is_none(), read.is_err());
        (read, received)
    });
    let (expected, closed) = frames(bytes);
    assert!(received == expected, "{} bytes for {}", received.len(), expected.len());
    assert_eq!(read.is_ok(), closed, "{read:?}");
}

/// The bytes in the frames, and whether the last one is an orderly end.
fn frames(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut inside = Vec::new();
    while let Some((header, behind)) = rest.split_at_checked(HEADER) {
        let number = header[1..].iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        rest = match (header[0], number) {
            (DATA, 1..=LARGEST) => {
                let (body, behind) = behind.split_at(behind.len().min(number as usize));
                inside.extend(body);
                behind
            }
            // Nothing was sent.
            (RECEIVED, 0) => behind,
            (CLOSE, _) => return (inside, true),
            _ => break,
        };
    }
    (inside, false)
}
