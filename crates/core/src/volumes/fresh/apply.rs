//! Taking in what the agent sends of volumes that it watches.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use towline_beneath::{Directory, FileKind, Inside};
use towline_wire::files::record::{Item, Record};
use towline_wire::files::{Refusal, RefusalKind};
use towline_wire::header::Bytes;

use crate::volumes::VolumeError;
use crate::volumes::shelf::{Shelf, inside, local};
use crate::volumes::writer::Writer;

/// The link that is swapped.
const DATA: &[u8] = b"..data";

pub(super) struct Applier {
    shelf: Arc<Shelf>,
    round: Option<Round>,
    /// What each volume was when it was last written here.
    known: BTreeMap<String, Option<[u8; 32]>>,
}

/// One volume that is coming.
struct Round {
    mount: String,
    writer: Result<Writer, VolumeError>,
    way: Way,
}

/// How it gets its place.
enum Way {
    /// By swapping `..data` to the directory of this name.
    Swap { volume: Directory, name: Vec<u8> },
    /// Each file by itself; what has gone in the pod goes.
    EachFile { volume: Directory },
    /// It is one file.
    OneFile,
}

impl Applier {
    pub(super) fn new(shelf: Arc<Shelf>) -> Self {
        Self { shelf, round: None, known: BTreeMap::new() }
    }

    pub(super) fn take(&mut self, record: Record) {
        match record {
            Record::Item(Item::Begin { mount, file, atomic }) => self.begin(mount, file, atomic),
            Record::Item(Item::Commit) => {
                if let Some(round) = self.round.take() {
                    self.commit(round);
                }
            }
            Record::Item(Item::Discard { reason }) => self.discard(reason),
            Record::Item(Item::Unchanged) => self.shelf.unchanged(),
            Record::Item(Item::Refused(refusal)) => {
                for mount in self.shelf.copied() {
                    self.shelf.failed(&mount, &VolumeError::refused(&mount, refusal.clone()));
                }
            }
            record => {
                if let Some(Round { writer, .. }) = &mut self.round
                    && let Ok(open) = writer
                    && let Err(error) = open.take(record)
                {
                    *writer = Err(error);
                }
            }
        }
    }

    /// The stream ended in the middle.
    pub(super) fn cut_off(&mut self) {
        if let Some(round) = self.round.take() {
            round.way.give_up();
        }
    }

    fn begin(&mut self, mount: Bytes, file: bool, atomic: bool) {
        self.cut_off();
        let mount = String::from_utf8_lossy(&Vec::from(mount)).into_owned();
        match self.place(&mount, file, atomic) {
            Ok((way, writer)) => {
                self.round = Some(Round { mount, writer: Ok(writer.with_digest()), way })
            }
            Err(error) => self.shelf.failed(&mount, &error),
        }
    }

    fn place(&self, mount: &str, file: bool, atomic: bool) -> Result<(Way, Writer), VolumeError> {
        let placed = self.shelf.find(mount)?;
        let at = local(&placed.root, mount);
        let failed = |source| VolumeError::Local { doing: "writing", path: at.clone(), source };
        let root = Directory::open(&placed.root).map_err(failed)?;
        let path = inside(mount).map_err(|_| VolumeError::Path { path: mount.to_owned() })?;
        if file {
            let Some((above, name)) = path.split() else {
                return Err(VolumeError::Path { path: mount.to_owned() });
            };
            let parent = root.descend_or_make(&above).map_err(failed)?;
            return Ok((Way::OneFile, Writer::new(parent, &at, mount, Some(name.to_vec()))));
        }
        let volume = root.descend_or_make(&path).map_err(failed)?;
        let again = volume.descend(&Inside::top()).map_err(failed)?;
        if !atomic {
            let writer = Writer::new(again, &at, mount, None);
            return Ok((Way::EachFile { volume }, writer));
        }
        // As the kubelet names it: ..2026_11_26_22_45_06.123456789.
        let name = Timestamp::now().strftime("..%Y_%m_%d_%H_%M_%S.%9f").to_string().into_bytes();
        let staged = volume.make_directory(&name).map_err(failed)?;
        let writer = Writer::new(staged, &at, mount, None);
        Ok((Way::Swap { volume, name }, writer))
    }

    fn discard(&mut self, reason: Option<String>) {
        let Some(round) = self.round.take() else { return };
        round.way.give_up();
        if let Some(message) = reason {
            let refusal = Refusal::new(RefusalKind::Other, message);
            self.shelf.failed(&round.mount, &VolumeError::refused(&round.mount, refusal));
        }
    }

    fn commit(&mut self, round: Round) {
        let Round { mount, writer, way } = round;
        let writer = match writer {
            Ok(writer) => writer,
            Err(error) => {
                way.give_up();
                return self.shelf.failed(&mount, &error);
            }
        };
        let digest = writer.digest();
        let (files, bytes) = (writer.done.files, writer.done.bytes);
        if let Some(skipped) = writer.done.skipped.first() {
            let message = format!("{} is not copied: {}", skipped.path, skipped.reason);
            tracing::warn!(mount, message, "a volume");
        }
        if self.known.get(&mount) == Some(&digest) && !matches!(way, Way::OneFile) {
            way.give_up();
            return self.shelf.refreshed(&mount, files, bytes, false);
        }
        match way.publish(&writer.names) {
            Ok(()) => {
                let changed = self.known.insert(mount.clone(), digest) != Some(digest);
                self.shelf.refreshed(&mount, files, bytes, changed);
            }
            Err(source) => {
                let path = self
                    .shelf
                    .find(&mount)
                    .map_or_else(|_| PathBuf::from(&mount), |placed| local(&placed.root, &mount));
                self.shelf.failed(&mount, &VolumeError::Local { doing: "writing", path, source });
            }
        }
    }
}

impl Way {
    /// Removes what was written for nothing. What is here otherwise stays.
    fn give_up(&self) {
        if let Self::Swap { volume, name } = self
            && let Err(error) = volume.remove(name)
        {
            tracing::warn!(%error, "a directory that was not used stays until the session ends");
        }
    }

    fn publish(&self, names: &BTreeSet<Vec<u8>>) -> io::Result<()> {
        match self {
            Self::OneFile => Ok(()),
            Self::EachFile { volume } => remove_others(volume, |name| names.contains(name)),
            Self::Swap { volume, name } => swap(volume, name, names).inspect_err(|_| {
                // Where the link leads there already, its directory must stay.
                if volume.read_link(DATA).ok().as_ref() != Some(name) {
                    self.give_up();
                }
            }),
        }
    }
}

fn swap(volume: &Directory, new: &[u8], names: &BTreeSet<Vec<u8>>) -> io::Result<()> {
    let old = volume.read_link(DATA).ok();
    volume.put_link(DATA, new)?;
    for name in names {
        let through = [DATA, b"/", name].concat();
        if volume.read_link(name).ok().as_ref() != Some(&through) {
            volume.put_link(name, &through)?;
        }
    }
    let not_ours = |name: &[u8]| {
        let led = volume.read_link(name);
        !led.is_ok_and(|target| target.starts_with(b"..data/"))
    };
    remove_others(volume, |name| names.contains(name) || not_ours(name))?;
    match old {
        Some(old) if old != new => volume.remove(&old),
        _ => Ok(()),
    }
}

/// Removes the entries that `stays` does not want, but no directory: it may be another volume's place.
fn remove_others(volume: &Directory, stays: impl Fn(&[u8]) -> bool) -> io::Result<()> {
    for name in volume.names()?.collect::<io::Result<Vec<_>>>()? {
        if !stays(&name) && volume.stat(&name)?.kind != FileKind::Directory {
            volume.remove(&name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
