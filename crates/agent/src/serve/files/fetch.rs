//! Sending files as records.

use std::io::{self, Read};
use std::ops::ControlFlow;

use towline_beneath::FileKind;
use towline_wire::files::record::{HEADER, Item, LARGEST, room, seal};
use towline_wire::files::{Limit, Refusal, RefusalKind};
use towline_wire::header::Bytes;

use super::mounts::Opened;
use super::walk::{Found, walk};
use super::{Sink, version};

/// Nobody listens any more.
#[derive(Debug)]
pub(super) struct Gone;

pub(super) fn send(to: &Sink, item: &Item) -> Result<(), Gone> {
    to.blocking_send(item.encode()).map_err(|_| Gone)
}

/// Sends everything at and below `paths`, and how it went.
pub(super) fn run(mount: &Bytes, paths: &[Bytes], limit: Limit, to: &Sink) {
    let done = Opened::find(mount).and_then(|opened| {
        let mut sender = Sender::new(to, limit);
        walk(&opened, &super::paths(paths)?, &mut |found| sender.take(&found))?;
        sender.refusal.map_or(Ok(()), Err)
    });
    // An error means that the client has gone.
    let _ = send(to, &done.map_or_else(Item::Refused, |()| Item::Done));
}

/// Sends one thing after the other.
pub(super) struct Sender<'a> {
    to: &'a Sink,
    limit: Limit,
    left: Limit,
    /// Why it stopped.
    pub(super) refusal: Option<Refusal>,
    pub(super) gone: bool,
}

impl<'a> Sender<'a> {
    pub(super) fn new(to: &'a Sink, limit: Limit) -> Self {
        Self { to, limit, left: limit, refusal: None, gone: false }
    }

    pub(super) fn take(&mut self, found: &Found<'_>) -> ControlFlow<()> {
        match self.try_take(found) {
            Ok(flow) => flow,
            Err(Gone) => {
                self.gone = true;
                ControlFlow::Break(())
            }
        }
    }

    fn try_take(&mut self, found: &Found<'_>) -> Result<ControlFlow<()>, Gone> {
        let path = Bytes::from(found.path.as_bytes().to_vec());
        let size = found.stat.as_ref().ok().filter(|stat| stat.kind == FileKind::File);
        let size = size.map_or(0, |stat| stat.size);
        if self.left.entries == 0 || size > self.left.bytes {
            let message = format!(
                "there is more than the limit of {} bytes and {} entries",
                self.limit.bytes, self.limit.entries
            );
            self.refusal = Some(Refusal::new(RefusalKind::TooLarge, message));
            return Ok(ControlFlow::Break(()));
        }
        self.left.entries -= 1;
        let skipped = |reason: String| Item::Skipped { path: path.clone(), reason };
        let item = match &found.stat {
            Err(error) => skipped(error.to_string()),
            Ok(stat) => match stat.kind {
                FileKind::Directory => Item::Directory { path, mode: stat.mode },
                FileKind::Special => skipped("a device, a pipe or a socket".to_owned()),
                FileKind::Link => match found.parent.read_link(found.name) {
                    Ok(target) => Item::Link { path, target: target.into() },
                    Err(error) => skipped(error.to_string()),
                },
                FileKind::File => return self.file(found, path).map(ControlFlow::Continue),
            },
        };
        send(self.to, &item)?;
        Ok(ControlFlow::Continue(()))
    }

    /// Sends a file, as long as it was when it was opened: one that grows for ever is not read for ever.
    fn file(&mut self, found: &Found<'_>, path: Bytes) -> Result<(), Gone> {
        let (mut file, stat) = match found.parent.open_file(found.name) {
            Ok(opened) => opened,
            Err(error) => return send(self.to, &Item::Skipped { path, reason: error.to_string() }),
        };
        send(self.to, &Item::File { path, mode: stat.mode, version: version(&stat) })?;
        let size = stat.size.min(self.left.bytes);
        let mut left = size;
        let mut broken = None;
        while left > 0 {
            let mut buffer = room();
            let want = usize::try_from(left).unwrap_or(LARGEST).min(LARGEST);
            match fill(&mut file, &mut buffer[HEADER..HEADER + want]) {
                Ok(0) => {
                    broken = Some("it became shorter while it was read".to_owned());
                    break;
                }
                Ok(read) => {
                    seal(&mut buffer, read);
                    self.to.blocking_send(buffer).map_err(|_| Gone)?;
                    left -= read as u64;
                }
                Err(error) => {
                    broken = Some(error.to_string());
                    break;
                }
            }
        }
        self.left.bytes -= size - left;
        send(self.to, &Item::End { broken })
    }
}

/// Reads until the buffer is full or the file is over.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
