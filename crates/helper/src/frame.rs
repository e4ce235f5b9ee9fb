//! Frames: four bytes of length, big-endian, and as many bytes of JSON.

use serde::{Serialize, de::DeserializeOwned};

/// The most bytes that a frame has after its length.
pub const LIMIT: usize = 1 << 20;

const HEADER: usize = 4;

/// The bytes are no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// It would be longer than [`LIMIT`].
    #[error("a frame of {length} bytes; at most {LIMIT} are allowed")]
    TooLong {
        /// How long.
        length: usize,
    },
    /// It is not the JSON that is expected here.
    #[error("a frame that is not understood: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// A value as a frame.
///
/// # Errors
///
/// When it would be too long.
pub fn encode(value: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; HEADER];
    serde_json::to_writer(&mut frame, value)?;
    let length = frame.len() - HEADER;
    match u32::try_from(length) {
        Ok(header) if length <= LIMIT => {
            frame[..HEADER].copy_from_slice(&header.to_be_bytes());
            Ok(frame)
        }
        _ => Err(FrameError::TooLong { length }),
    }
}

/// Bytes as they come, cut into frames.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
}

impl Decoder {
    /// Takes bytes that came.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, if it is there in full.
    ///
    /// # Errors
    ///
    /// When what comes is no frame; nothing that follows means anything then. A frame that is too long is told by its length alone, before it came.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let Some((header, rest)) = self.bytes.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*header) as usize;
        if length > LIMIT {
            return Err(FrameError::TooLong { length });
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        let value = serde_json::from_slice(body)?;
        self.bytes.drain(..HEADER + length);
        Ok(Some(value))
    }

    /// Whether a part of a frame is there.
    pub fn is_partial(&self) -> bool {
        !self.bytes.is_empty()
    }
}
