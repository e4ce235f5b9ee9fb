//! One JSON value behind its length: four bytes, big-endian, then the text.

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest JSON text of a frame, in bytes. An environment fits: Linux allows 128 KiB for one variable, and
/// etcd 1.5 MiB for the pod that they come from.
pub const LONGEST: u32 = 4 * 1024 * 1024;

/// A frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The pipe failed or ended.
    #[error("the tunnel broke in the middle of a message: {0}")]
    Io(#[from] std::io::Error),
    /// The other side announced more than [`LONGEST`], so it does not speak this protocol.
    #[error("a message of {0} bytes was announced; at most {LONGEST} are allowed")]
    TooLong(u32),
    /// The text is not the JSON that was expected.
    #[error("a message was not understood: {0}")]
    Json(#[from] serde_json::Error),
}

/// Reads one value.
///
/// # Errors
/// As [`FrameError`] says; the pipe is then of no use any more.
pub async fn read<T: DeserializeOwned>(io: &mut (impl AsyncRead + Unpin)) -> Result<T, FrameError> {
    let length = io.read_u32().await?;
    if length > LONGEST {
        return Err(FrameError::TooLong(length));
    }
    let mut text = vec![0; length as usize];
    io.read_exact(&mut text).await?;
    Ok(serde_json::from_slice(&text)?)
}

/// Writes one value and flushes.
///
/// # Errors
/// As [`FrameError`] says.
pub async fn write<T: Serialize>(
    io: &mut (impl AsyncWrite + Unpin),
    value: &T,
) -> Result<(), FrameError> {
    let text = serde_json::to_vec(value)?;
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    if length > LONGEST {
        return Err(FrameError::TooLong(length));
    }
    // One write, so that a small message is one packet.
    let mut frame = Vec::with_capacity(4 + text.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&text);
    io.write_all(&frame).await?;
    io.flush().await?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_value_comes_back() {
        let (mut a, mut b) = tokio::io::duplex(64);
        write(&mut a, &vec!["one", "two\n"]).await.unwrap();
        assert_eq!(read::<Vec<String>>(&mut b).await.unwrap(), ["one", "two\n"]);
    }

    #[tokio::test]
    async fn a_length_beyond_the_limit_is_refused_before_memory_is_taken() {
        let mut bytes: &[u8] = &[0xff, 0xff, 0xff, 0xff];
        assert!(matches!(read::<String>(&mut bytes).await, Err(FrameError::TooLong(_))));
    }

    #[tokio::test]
    async fn a_truncated_value_is_an_error() {
        let mut bytes: &[u8] = &[0, 0, 0, 9, b'"'];
        assert!(matches!(read::<String>(&mut bytes).await, Err(FrameError::Io(_))));
    }
}
