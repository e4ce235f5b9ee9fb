//! Files of the container's volumes, for the client.
//!
//! Only what is mounted in the container is served, and of it nothing that a link leads to. The session's key says already who asks; this keeps
//! mistakes on either side from reaching the pod's other files. Walking and reading block, so they have threads of their own, and a short
//! queue to the stream: a slow client holds the reading back.

mod fetch;
mod list;
mod mounts;
mod put;
mod walk;
mod watch;

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Semaphore, mpsc};
use towline_beneath::{FileKind, FileStat, Inside};
use towline_wire::files::record::Item;
use towline_wire::files::{Ask, Measured, Refusal, RefusalKind, Version};
use towline_wire::frame::{self, FrameError};
use towline_wire::header::Bytes;
use towline_wire::mux::MuxStream;

use self::mounts::Opened;

/// How many streams of files there may be at once: each has a thread, and buffers.
pub(crate) const MOST: usize = 16;

/// How many records may wait for the stream.
const QUEUE: usize = 4;

/// How long something is counted or listed; what is not counted by then is "more". The client waits for twice as long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers one question.
pub(crate) async fn serve(
    mut stream: MuxStream,
    ask: Ask,
    places: &Semaphore,
) -> Result<(), FrameError> {
    let Ok(_place) = places.try_acquire() else {
        let refusal = Refusal::new(
            RefusalKind::Other,
            format!("more than {MOST} requests for files at once"),
        );
        return match ask {
            Ask::Fetch { .. } | Ask::Watch { .. } => {
                stream.write_all(&Item::Refused(refusal).encode()).await?;
                Ok(stream.shutdown().await?)
            }
            _ => answer(stream, &Err::<(), _>(refusal)).await,
        };
    };
    match ask {
        Ask::Mounts => answer(stream, &blocking(mounts::all).await).await,
        Ask::Measure { mount, paths, most } => {
            answer(stream, &blocking(move || measure(&mount, &paths, most)).await).await
        }
        Ask::List { mount, path, most } => {
            answer(stream, &blocking(move || list::run(&mount, path, most)).await).await
        }
        Ask::Fetch { mount, paths, limit } => {
            records(stream, move |send| fetch::run(&mount, &paths, limit, send)).await
        }
        Ask::Watch { mounts } => records(stream, move |send| watch::run(&mounts, send)).await,
        Ask::Put { mount, path, size, expect } => {
            put::serve(stream, mount, path, size, expect).await
        }
    }
}

async fn answer<T: Serialize>(
    mut stream: MuxStream,
    value: &Result<T, Refusal>,
) -> Result<(), FrameError> {
    frame::write(&mut stream, value).await?;
    Ok(stream.shutdown().await?)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Refusal::new(RefusalKind::Other, error.to_string())))
}

/// Where records go; an error means that nobody listens any more.
type Sink = mpsc::Sender<Vec<u8>>;

/// Writes what `work` makes on a thread of its own, as it comes.
async fn records(
    mut stream: MuxStream,
    work: impl FnOnce(&Sink) + Send + 'static,
) -> Result<(), FrameError> {
    let (send, mut made) = mpsc::channel(QUEUE);
    tokio::task::spawn_blocking(move || work(&send));
    while let Some(record) = made.recv().await {
        stream.write_all(&record).await?;
        // Yamux sends what it is given; only what was written last is to be pushed.
        if made.is_empty() {
            stream.flush().await?;
        }
    }
    Ok(stream.shutdown().await?)
}

fn paths(paths: &[Bytes]) -> Result<Vec<Inside>, Refusal> {
    let each = paths.iter().map(|path| inside(path.clone()));
    let mut paths = each.collect::<Result<Vec<_>, _>>()?;
    if paths.is_empty() {
        paths.push(Inside::top());
    }
    Ok(paths)
}

fn inside(path: Bytes) -> Result<Inside, Refusal> {
    Inside::parse(Vec::from(path))
        .map_err(|error| Refusal::new(RefusalKind::NotFound, error.to_string()))
}

fn version(stat: &FileStat) -> Version {
    Version { inode: stat.inode, size: stat.size, changed: stat.changed }
}

fn measure(mount: &Bytes, wanted: &[Bytes], most: u64) -> Result<Measured, Refusal> {
    let opened = Opened::find(mount)?;
    let deadline = Instant::now() + PATIENCE;
    let mut measured = Measured { complete: true, ..Measured::default() };
    let mut seen = 0;
    walk::walk(&opened, &paths(wanted)?, &mut |found| {
        seen += 1;
        if seen > most || (seen % 256 == 0 && Instant::now() > deadline) {
            measured.complete = false;
            return std::ops::ControlFlow::Break(());
        }
        match found.stat {
            Err(_) => measured.unreadable += 1,
            Ok(stat) => match stat.kind {
                FileKind::File => {
                    measured.files += 1;
                    measured.bytes = measured.bytes.saturating_add(stat.size);
                }
                FileKind::Directory => measured.directories += 1,
                FileKind::Link => measured.links += 1,
                FileKind::Special => measured.special += 1,
            },
        }
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(measured)
}

#[cfg(test)]
mod tests;
