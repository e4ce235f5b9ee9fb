//! Frames over a stream, and sockets beside them.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, timeout_at};

use crate::frame::{Decoder, FrameError, encode};
use crate::system::{self, Socket, Stream};

/// How long a frame may take from its first byte to its last.
const FRAME_LIMIT: Duration = Duration::from_secs(10);

/// The connection failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("the connection ended in the middle of a frame")]
    Cut,
    #[error("half of a frame came, and the rest not within {} s", FRAME_LIMIT.as_secs())]
    Slow,
}

/// What came and is not yet taken.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    decoder: Decoder,
    /// When the frame began that is there in part.
    began: Option<Instant>,
    /// In the order of the frames that they came with; nothing where none are taken, and what comes is closed.
    files: Option<VecDeque<Socket>>,
}

impl Inbox {
    /// One that takes file descriptors.
    pub(crate) fn with_files() -> Self {
        Self { files: Some(VecDeque::new()), ..Self::default() }
    }

    /// The oldest file descriptor that came.
    pub(crate) fn take_file(&mut self) -> Option<Socket> {
        self.files.as_mut()?.pop_front()
    }

    /// Takes bytes that came; there is part of a frame then.
    fn feed(&mut self, bytes: &[u8]) {
        self.decoder.feed(bytes);
        self.began.get_or_insert_with(Instant::now);
    }

    fn take<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let value = self.decoder.take()?;
        if value.is_some() {
            self.began = self.decoder.is_partial().then(Instant::now);
        }
        Ok(value)
    }
}

/// The next frame; nothing at the end. May be dropped while it waits: what came stays in `inbox`.
pub(crate) async fn receive<T: DeserializeOwned>(
    stream: &Stream,
    inbox: &mut Inbox,
) -> Result<Option<T>, ChannelError> {
    loop {
        if let Some(value) = inbox.take()? {
            return Ok(Some(value));
        }
        let read = system::read(stream);
        let came = match inbox.began {
            Some(began) => {
                timeout_at(began + FRAME_LIMIT, read).await.map_err(|_| ChannelError::Slow)?
            }
            None => read.await,
        };
        let (bytes, file) = match came {
            Err(error) if error.kind() == ErrorKind::ConnectionReset => (Vec::new(), None),
            other => other?,
        };
        if let Some(files) = &mut inbox.files {
            files.extend(file);
        }
        if bytes.is_empty() {
            return if inbox.began.is_some() { Err(ChannelError::Cut) } else { Ok(None) };
        }
        inbox.feed(&bytes);
    }
}

/// Sends a frame, and with it a file descriptor. Not to be dropped while it waits, unless the connection ends by that.
pub(crate) async fn send(
    stream: &Stream,
    value: &impl Serialize,
    file: Option<&Socket>,
) -> Result<(), ChannelError> {
    let frame = encode(value)?;
    let mut sent = 0;
    while sent < frame.len() {
        // The descriptor goes with the first byte.
        let file = file.filter(|_| sent == 0);
        sent += system::write(stream, &frame[sent..], file).await?;
    }
    Ok(())
}
