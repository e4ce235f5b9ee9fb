//! Writing one file into a volume: whole or not at all, and only over what the client knows.

use std::io::{self, Write};

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use towline_beneath::{Directory, FileKind, FileStat, Inside, Staged};
use towline_wire::files::record::{self, Item, Record};
use towline_wire::files::{Expect, Refusal, RefusalKind, Seen, Version};
use towline_wire::frame::{self, FrameError};
use towline_wire::header::Bytes;
use towline_wire::mux::MuxStream;

use super::mounts::Opened;
use super::{QUEUE, blocking, version};

/// A file that is itself mounted is written in its place, and so only when all of it is here.
const LARGEST_MOUNTED: u64 = 8 << 20;

/// The permissions of a file that was not there.
const MODE: u32 = 0o644;

pub(super) async fn serve(
    mut stream: MuxStream,
    mount: Bytes,
    path: Bytes,
    size: u64,
    expect: Expect,
) -> Result<(), FrameError> {
    let place = match blocking(move || Place::find(&mount, path, size, expect)).await {
        Ok(place) => place,
        Err(refusal) => return super::answer(stream, &Err::<(), _>(refusal)).await,
    };
    frame::write(&mut stream, &Ok::<_, Refusal>(())).await?;
    let (bytes, taken) = mpsc::channel(QUEUE);
    let writing = tokio::task::spawn_blocking(move || place.write(taken));
    let came = receive(&mut stream, bytes, size).await;
    let written = writing.await;
    let written =
        written.unwrap_or_else(|error| Err(Refusal::new(RefusalKind::Other, error.to_string())));
    let answer = match (came, written) {
        (Err(refusal), Err(_)) => Err(refusal),
        (_, written) => written,
    };
    frame::write(&mut stream, &answer).await?;
    Ok(stream.shutdown().await?)
}

/// Hands on the bytes. Whole, it says so by an empty piece; the writer makes nothing of what is not whole.
async fn receive(
    stream: &mut MuxStream,
    bytes: mpsc::Sender<Vec<u8>>,
    size: u64,
) -> Result<(), Refusal> {
    let other = |message: String| Refusal::new(RefusalKind::Other, message);
    let mut left = size;
    loop {
        match record::read(stream).await.map_err(|error| other(error.to_string()))? {
            Record::Data(data) if data.is_empty() => {}
            Record::Data(data) => {
                left = left
                    .checked_sub(data.len() as u64)
                    .ok_or_else(|| other("more bytes came than were announced".to_owned()))?;
                // Where the writer has given up, it says why.
                if bytes.send(data).await.is_err() {
                    return Ok(());
                }
            }
            Record::Item(Item::End { broken: None }) if left == 0 => {
                let _ = bytes.send(Vec::new()).await;
                return Ok(());
            }
            Record::Item(Item::End { broken }) => {
                return Err(other(broken.unwrap_or_else(|| "bytes are missing".to_owned())));
            }
            Record::Item(_) => return Err(other("a record that makes no sense here".to_owned())),
        }
    }
}

/// Where the file goes.
pub(super) struct Place {
    parent: Directory,
    path: Inside,
    name: Vec<u8>,
    mounted: bool,
    expect: Expect,
}

impl Place {
    fn find(mount: &Bytes, path: Bytes, size: u64, expect: Expect) -> Result<Self, Refusal> {
        let opened = Opened::find(mount)?;
        Self::within(opened, super::inside(path)?, size, expect)
    }

    pub(super) fn within(
        opened: Opened,
        path: Inside,
        size: u64,
        expect: Expect,
    ) -> Result<Self, Refusal> {
        if opened.mount.read_only {
            return Err(Refusal::new(RefusalKind::ReadOnly, "it is mounted read-only in the pod"));
        }
        let place = match (&opened.file, path.split()) {
            (Some(name), None) if size <= LARGEST_MOUNTED => {
                let name = name.clone();
                Self { parent: opened.directory, path, name, mounted: true, expect }
            }
            (Some(_), None) => {
                let message = format!(
                    "a file that is itself mounted can be written up to {LARGEST_MOUNTED} bytes"
                );
                return Err(Refusal::new(RefusalKind::TooLarge, message));
            }
            (None, Some((above, name))) => {
                if opened.others.iter().any(|inner| above.is_within(inner)) {
                    let message = format!("'{path}' is in another volume");
                    return Err(Refusal::new(RefusalKind::NotAVolume, message));
                }
                let parent = opened.directory.descend_or_make(&above);
                let parent =
                    parent.map_err(|error| Refusal::of(format!("opening '{above}'"), &error))?;
                let name = name.to_vec();
                Self { parent, path, name, mounted: false, expect }
            }
            _ => {
                let message = format!("'{path}' is not a file's place");
                return Err(Refusal::new(RefusalKind::NotFound, message));
            }
        };
        place.check()?;
        Ok(place)
    }

    /// What is there, if that is what was expected.
    fn check(&self) -> Result<Option<FileStat>, Refusal> {
        let there = match self.parent.stat(&self.name) {
            Ok(stat) => Some(stat),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(self.failed(&error)),
        };
        if there.is_some_and(|stat| stat.kind != FileKind::File) {
            let message = format!("'{}' in the pod is no regular file", self.path);
            return Err(Refusal::new(RefusalKind::Conflict, message));
        }
        let as_expected = match (self.expect, &there) {
            (Expect::Anything, _) | (Expect::Absent, None) => true,
            (Expect::Same { version: expected }, Some(stat)) => expected == version(stat),
            (Expect::Absent, Some(_)) | (Expect::Same { .. }, None) => false,
        };
        if as_expected {
            return Ok(there);
        }
        let what = match (self.expect, &there) {
            (_, None) => "is gone",
            (Expect::Absent, Some(_)) => "is there already, and was not copied",
            _ => "changed since it was copied",
        };
        let message = format!("'{}' in the pod {what}", self.path);
        let there = there.map(|stat| Seen { size: stat.size, modified: stat.modified });
        Err(Refusal { there, ..Refusal::new(RefusalKind::Conflict, message) })
    }

    pub(super) fn write(self, bytes: mpsc::Receiver<Vec<u8>>) -> Result<Version, Refusal> {
        if self.mounted {
            let all = collect(bytes)?;
            self.check()?;
            self.parent.overwrite(&self.name, &all).map_err(|error| self.failed(&error))?;
        } else {
            let staged = self.parent.stage(&self.name).map_err(|error| self.failed(&error))?;
            self.stage(staged, bytes)?;
        }
        let stat = self.parent.stat(&self.name).map_err(|error| self.failed(&error))?;
        Ok(version(&stat))
    }

    fn stage(&self, mut staged: Staged, mut bytes: mpsc::Receiver<Vec<u8>>) -> Result<(), Refusal> {
        loop {
            let piece = bytes.blocking_recv().ok_or_else(cut_off)?;
            if piece.is_empty() {
                break;
            }
            staged.write_all(&piece).map_err(|error| self.failed(&error))?;
        }
        staged.file().sync_data().map_err(|error| self.failed(&error))?;
        let there = self.check()?;
        if let Some(there) = &there {
            staged.give_to(there.owner);
        }
        let mode = there.map_or(MODE, |there| there.mode);
        staged.commit(mode).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> Refusal {
        Refusal::of(format!("writing '{}' in the pod", self.path), error)
    }
}

fn collect(mut bytes: mpsc::Receiver<Vec<u8>>) -> Result<Vec<u8>, Refusal> {
    let mut all = Vec::new();
    loop {
        let piece = bytes.blocking_recv().ok_or_else(cut_off)?;
        if piece.is_empty() {
            return Ok(all);
        }
        all.extend_from_slice(&piece);
    }
}

fn cut_off() -> Refusal {
    Refusal::new(RefusalKind::Other, "the client did not send all of the file")
}
