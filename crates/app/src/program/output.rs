//! What a program writes, into the session's log.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::logs::{Lines, LogWriter};
use crate::view::LogSource;

/// As much as a pipe of Linux holds: one read takes all that is there.
const BUFFER: usize = 64 * 1024;

/// Reads to the end. A program that writes faster than this reads is held up by the pipe, so nothing is lost and nothing piles up.
pub(super) async fn read(mut from: impl AsyncRead + Unpin, source: LogSource, log: LogWriter) {
    let (mut lines, mut buffer) = (Lines::default(), vec![0; BUFFER]);
    let nobody: Arc<str> = Arc::from("");
    loop {
        match from.read(&mut buffer).await {
            Ok(0) => break,
            Ok(count) => log.add(source, &nobody, |line| lines.take(&buffer[..count], line)),
            Err(error) => {
                tracing::warn!(%error, "the program's output cannot be read");
                break;
            }
        }
    }
    log.add(source, &nobody, |line| lines.finish(line));
}
