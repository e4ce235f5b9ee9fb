//! The bytes of a connection.

use tokio::io::AsyncReadExt;
use towline_wire::chunk::{
    ChunkError, Failure, HEADER, Kind, LARGEST, header, read_failure, read_header, write_failure,
    write_mark,
};

use super::pipe::{now, one_way};

/// What is read has its place in the stream, and a header that is written again is the one that was read.
pub(super) fn check(bytes: &[u8], size: usize) {
    let (at, error) = one_way(bytes, size, async |pipe| {
        let mut at = 0;
        loop {
            let (kind, length) = match read_header(pipe).await {
                Ok(read) => read,
                Err(error) => return (at, Some(error)),
            };
            assert_eq!(bytes[at..at + HEADER], header(kind, length));
            at += HEADER;
            match kind {
                Kind::End => return (at, None),
                Kind::Ready => {}
                Kind::Data => {
                    let mut payload = Vec::new();
                    let mut part = pipe.take(length as u64);
                    part.read_to_end(&mut payload).await.expect("pipes do not fail");
                    assert!(bytes[at..].starts_with(&payload));
                    at += payload.len();
                }
                Kind::Failed => {
                    return match read_failure(pipe, length).await {
                        Ok(failure) => {
                            told(failure).await;
                            (at, None)
                        }
                        Err(error) => (at, Some(error)),
                    };
                }
            }
        }
    });
    match error {
        Some(ChunkError::Unknown(kind)) => assert!(kind > 3 && bytes[at] == kind),
        // Too few bytes for a header, or for the reason of a failure, which is never taken whole if it is longer than a payload may be.
        Some(ChunkError::Reset(_)) => assert!(bytes.len() - at < LARGEST),
        None => {}
    }
    for kind in [Kind::End, Kind::Ready] {
        let mut mark = Vec::new();
        now(write_mark(&mut mark, kind)).expect("memory takes all that is written");
        let read = one_way(&mark, size, async |pipe| read_header(pipe).await);
        assert!(matches!(read, Ok((read, 0)) if read == kind), "{read:?}");
    }
}

/// A reason for a failure comes back when it is written.
async fn told(failure: Failure) {
    let mut written = Vec::new();
    write_failure(&mut written, &failure).await.expect("memory takes all that is written");
    let (head, mut text) = written.split_at(HEADER);
    assert_eq!(head, header(Kind::Failed, text.len()));
    let length = text.len();
    if length <= LARGEST {
        let again = read_failure(&mut text, length).await;
        assert_eq!(again.ok(), Some(failure));
    }
}
