//! How a connection's bytes lie on a stream.
//!
//! A chunk is four bytes (the kind, then the payload's length, 24 bits, big-endian) and the payload. The explicit [`Kind::End`] is what
//! tells a half-close from a reset: yamux shows its reader the same end of file for both, so a stream that ends without `End` was reset.

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest payload that this side sends, in bytes.
pub const LARGEST: usize = 64 * 1024;

/// The bytes before each payload.
pub const HEADER: usize = 4;

/// What a chunk means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes of the connection.
    Data,
    /// No more bytes this way; the other way goes on (a TCP half-close).
    End,
    /// The connection at the far end has been made. At most once, before any data, from the side that dials.
    Ready,
    /// The connection at the far end could not be made; the payload is a [`Failure`] as JSON. Nothing follows.
    Failed,
}

/// Why a connection or a look-up failed at the far end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What sort of failure; the caller decides by this.
    pub kind: FailureKind,
    /// The whole sentence.
    pub message: String,
}

/// The sorts of [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Nothing listens there.
    Refused,
    /// The name does not exist.
    NotFound,
    /// No answer in time.
    TimedOut,
    /// No route to it.
    Unreachable,
    /// Something else; the message says what.
    Other,
}

impl From<&std::io::Error> for FailureKind {
    fn from(error: &std::io::Error) -> Self {
        use std::io::ErrorKind as E;
        match error.kind() {
            E::ConnectionRefused => Self::Refused,
            E::TimedOut => Self::TimedOut,
            E::HostUnreachable | E::NetworkUnreachable => Self::Unreachable,
            _ => Self::Other,
        }
    }
}

/// The stream did not carry chunks.
#[derive(Debug, thiserror::Error)]
pub enum ChunkError {
    /// The stream was reset, or the tunnel is gone.
    #[error("the stream was reset: {0}")]
    Reset(#[source] std::io::Error),
    /// A kind that this version does not know.
    #[error("a chunk of unknown kind {0}")]
    Unknown(u8),
}

/// The four bytes before a payload of `length` bytes.
pub fn header(kind: Kind, length: usize) -> [u8; HEADER] {
    debug_assert!(length < 1 << 24);
    let [_, a, b, c] = (length as u32).to_be_bytes();
    let kind = match kind {
        Kind::Data => 0,
        Kind::End => 1,
        Kind::Ready => 2,
        Kind::Failed => 3,
    };
    [kind, a, b, c]
}

/// Reads the next chunk's kind and its payload's length; the payload is still to be read.
///
/// # Errors
/// As [`ChunkError`] says.
pub async fn read_header(io: &mut (impl AsyncRead + Unpin)) -> Result<(Kind, usize), ChunkError> {
    let mut bytes = [0; HEADER];
    io.read_exact(&mut bytes).await.map_err(ChunkError::Reset)?;
    let [kind, a, b, c] = bytes;
    let kind = match kind {
        0 => Kind::Data,
        1 => Kind::End,
        2 => Kind::Ready,
        3 => Kind::Failed,
        other => return Err(ChunkError::Unknown(other)),
    };
    Ok((kind, u32::from_be_bytes([0, a, b, c]) as usize))
}

/// Writes a chunk without data ([`Kind::End`], [`Kind::Ready`]) and flushes.
///
/// # Errors
/// When the stream is gone.
pub async fn write_mark(io: &mut (impl AsyncWrite + Unpin), kind: Kind) -> std::io::Result<()> {
    io.write_all(&header(kind, 0)).await?;
    io.flush().await
}

/// Writes [`Kind::Failed`] and closes this side.
///
/// # Errors
/// When the stream is gone.
pub async fn write_failure(
    io: &mut (impl AsyncWrite + Unpin),
    failure: &Failure,
) -> std::io::Result<()> {
    let text = serde_json::to_vec(failure)?;
    let mut frame = header(Kind::Failed, text.len()).to_vec();
    frame.extend_from_slice(&text);
    io.write_all(&frame).await?;
    io.shutdown().await
}

/// Reads the payload of [`Kind::Failed`].
///
/// # Errors
/// When the stream ends early.
pub async fn read_failure(
    io: &mut (impl AsyncRead + Unpin),
    length: usize,
) -> Result<Failure, ChunkError> {
    let mut text = vec![0; length.min(LARGEST)];
    io.read_exact(&mut text).await.map_err(ChunkError::Reset)?;
    Ok(serde_json::from_slice(&text).unwrap_or_else(|_| Failure {
        kind: FailureKind::Other,
        message: String::from_utf8_lossy(&text).into_owned(),
    }))
}
