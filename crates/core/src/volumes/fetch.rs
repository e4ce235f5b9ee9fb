//! Copying from a volume on demand: it is measured first, so that one that is too large is refused before anything comes.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use towline_beneath::{Directory, Inside};
use towline_wire::files::record::{self, Item, Record};
use towline_wire::files::{Ask, Limit, Listed, Measured, RefusalKind};
use towline_wire::header::Bytes;
use towline_wire::mux::MuxStream;

use super::shelf::{Placed, Shelf, inside, local, text};
use super::writer::Writer;
use super::{Exceeded, Fetched, Handling, Progress, Transfer, VolumeError};

/// After so many entries a measure says "more".
const MOST_MEASURED: u64 = 100_000;

/// So many entries of a directory are shown.
const MOST_LISTED: u32 = 2_000;

/// How many records may wait for the disk.
const QUEUE: usize = 16;

/// After so many files it is noted which states of them are here.
const AT_ONCE: usize = 1_000;

impl Shelf {
    /// How much there is in the pod, below `paths` or in all.
    pub(crate) async fn measure(
        &self,
        mount: &str,
        paths: Vec<Bytes>,
    ) -> Result<Measured, VolumeError> {
        self.find(mount)?;
        let all = paths.is_empty();
        let ask = Ask::Measure { mount: text(mount), paths, most: MOST_MEASURED };
        let measured: Measured = self.ask(mount, ask).await?;
        if all {
            self.change(mount, |volume| volume.measured = Some(measured));
        }
        Ok(measured)
    }

    /// What is in a directory of the volume in the pod.
    pub(crate) async fn list(&self, mount: &str, path: Bytes) -> Result<Listed, VolumeError> {
        self.find(mount)?;
        self.ask(mount, Ask::List { mount: text(mount), path, most: MOST_LISTED }).await
    }

    /// Begins to copy.
    pub(crate) fn fetch(
        self: &Arc<Self>,
        mount: &str,
        paths: Vec<Bytes>,
        limit: Limit,
    ) -> Result<Transfer, VolumeError> {
        let placed = self.find(mount)?;
        if placed.planned.handling != Handling::OnDemand {
            return Err(VolumeError::KeptFresh { mount: mount.to_owned() });
        }
        let (tell, progress) = watch::channel(Progress::default());
        let shelf = self.clone();
        let work = async move { shelf.copy_all(placed, paths, limit, tell).await };
        Ok(Transfer::new(mount, progress, work))
    }

    async fn copy_all(
        self: Arc<Self>,
        placed: Placed,
        paths: Vec<Bytes>,
        limit: Limit,
        tell: watch::Sender<Progress>,
    ) -> Result<Fetched, VolumeError> {
        let mount = placed.planned.mount_path.as_str();
        let measured = self.measure(mount, paths.clone()).await?;
        tell.send_modify(|progress| progress.of = Some(measured));
        let entries = measured.files + measured.directories + measured.links + measured.special;
        // Where counting stopped, there is one more at least.
        let entries = if measured.complete { entries } else { entries + 1 };
        if entries > limit.entries {
            return Err(too_large(mount, limit, Exceeded::Entries, false));
        }
        if measured.bytes > limit.bytes {
            return Err(too_large(mount, limit, Exceeded::Bytes, false));
        }
        let (pod, streams) = self.agent(mount, None).await?;
        let ask = Ask::Fetch { mount: text(mount), paths, limit };
        let tunnel = |reason: String| VolumeError::Tunnel { mount: mount.to_owned(), reason };
        let mut stream = streams.files(ask).await.map_err(|error| tunnel(error.to_string()))?;

        let (send, records) = mpsc::channel(QUEUE);
        let writing = {
            let (shelf, placed, pod) = (self.clone(), placed.clone(), pod.clone());
            tokio::task::spawn_blocking(move || write(&shelf, &placed, &pod, limit, records, &tell))
        };
        let came = self.pass_on(&mut stream, mount, limit, send).await;
        let written = writing.await.map_err(|error| tunnel(error.to_string()))?;
        let fetched = written?;
        came?;
        Ok(fetched)
    }

    /// Hands the records on until the last. When the writer has given up, so does this.
    async fn pass_on(
        &self,
        stream: &mut MuxStream,
        mount: &str,
        limit: Limit,
        send: mpsc::Sender<Record>,
    ) -> Result<(), VolumeError> {
        loop {
            let record = record::read(stream).await.map_err(|error| VolumeError::Tunnel {
                mount: mount.to_owned(),
                reason: error.to_string(),
            })?;
            match record {
                Record::Item(Item::Done) => return Ok(()),
                Record::Item(Item::Refused(refusal)) if refusal.kind == RefusalKind::TooLarge => {
                    return Err(too_large(mount, limit, Exceeded::Either, true));
                }
                Record::Item(Item::Refused(refusal)) => {
                    return Err(VolumeError::refused(mount, refusal));
                }
                record => {
                    if let Record::Data(data) = &record {
                        self.chronicle.came(data.len() as u64);
                    }
                    if send.send(record).await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }
}

fn too_large(mount: &str, limit: Limit, exceeded: Exceeded, had: bool) -> VolumeError {
    VolumeError::TooLarge { mount: mount.to_owned(), limit, exceeded, had }
}

fn write(
    shelf: &Shelf,
    placed: &Placed,
    pod: &str,
    limit: Limit,
    mut records: mpsc::Receiver<Record>,
    tell: &watch::Sender<Progress>,
) -> Result<Fetched, VolumeError> {
    let mount = placed.planned.mount_path.as_str();
    let mut writer = writer(placed)?;
    let mut done = Ok(());
    while let Some(record) = records.blocking_recv() {
        let bytes = match &record {
            Record::Data(data) => data.len() as u64,
            Record::Item(_) => 0,
        };
        // The agent keeps to the limit; this is for one that does not.
        if writer.done.bytes + writer.under_way() + bytes > limit.bytes {
            done = Err(too_large(mount, limit, Exceeded::Bytes, true));
            break;
        }
        done = writer.take(record);
        if done.is_err() {
            break;
        }
        if writer.copies.len() >= AT_ONCE {
            shelf.remember(mount, pod, std::mem::take(&mut writer.copies));
        }
        tell.send_modify(|progress| {
            progress.files = writer.done.files;
            progress.bytes = writer.done.bytes + writer.under_way();
        });
    }
    // Also what came before a failure, or before somebody ended it: it is here.
    shelf.remember(mount, pod, std::mem::take(&mut writer.copies));
    let now = Timestamp::now();
    let Fetched { files, bytes, links, .. } = writer.done;
    if done.is_ok() || files + links > 0 {
        shelf.change(mount, |volume| {
            (volume.fresh_at, volume.changed_at) = (Some(now), Some(now));
            (volume.files, volume.bytes) = (volume.files + files, volume.bytes + bytes);
            if done.is_ok() {
                volume.error = None;
            }
        });
    }
    done.map(|()| writer.done)
}

/// Where the volume stands here; whether it is one file was found out when it got its place.
fn writer(placed: &Placed) -> Result<Writer, VolumeError> {
    let mount = placed.planned.mount_path.as_str();
    let at = local(&placed.root, mount);
    let failed = |source| VolumeError::Local { doing: "opening", path: at.clone(), source };
    let root = Directory::open(&placed.root).map_err(failed)?;
    let path = inside(mount).map_err(|_| VolumeError::Path { path: mount.to_owned() })?;
    if placed.file {
        let (above, name) = path.split().unwrap_or((Inside::top(), b""));
        let parent = root.descend_or_make(&above).map_err(failed)?;
        return Ok(Writer::new(parent, &at, mount, Some(name.to_vec())));
    }
    let volume = root.descend_or_make(&path).map_err(failed)?;
    Ok(Writer::new(volume, &at, mount, None))
}
