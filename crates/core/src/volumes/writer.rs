//! Writing what the agent sends below a directory. Nothing of what comes is trusted: not the paths, not where links lead, not the order.

mod place;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use towline_beneath::{Directory, Inside, Staged};
use towline_wire::files::Version;
use towline_wire::files::record::{Item, Record};
use towline_wire::header::Bytes;

use self::place::Place;
use super::shelf::Copy;
use super::{Fetched, MOST_SKIPPED, Skipped, VolumeError};

pub(super) struct Writer {
    place: Place,
    /// Where that is, for messages.
    at: PathBuf,
    /// The volume's mount path, which absolute links within it begin with.
    mount: String,
    open: Open,
    pub(super) done: Fetched,
    pub(super) copies: Vec<(Inside, Copy)>,
    /// The names at the top.
    pub(super) names: BTreeSet<Vec<u8>>,
    /// Only where somebody asks for it: it costs more than all else.
    digest: Option<Sha256>,
}

/// The file on its way.
enum Open {
    Nothing,
    File {
        path: Inside,
        mode: u32,
        version: Version,
        staged: Staged,
        bytes: u64,
    },
    /// One that has no place here; its bytes pass by.
    Passing,
}

impl Writer {
    pub(super) fn new(top: Directory, at: &Path, mount: &str, only: Option<Vec<u8>>) -> Self {
        Self {
            place: Place::new(top, only),
            at: at.to_owned(),
            mount: mount.to_owned(),
            open: Open::Nothing,
            done: Fetched::default(),
            copies: Vec::new(),
            names: BTreeSet::new(),
            digest: None,
        }
    }

    /// The same with [`Self::digest`].
    pub(super) fn with_digest(self) -> Self {
        Self { digest: Some(Sha256::new()), ..self }
    }

    /// What tells whether two copies are the same.
    pub(super) fn digest(&self) -> Option<[u8; 32]> {
        self.digest.clone().map(|digest| digest.finalize().into())
    }

    /// The bytes of the file that is on its way.
    pub(super) fn under_way(&self) -> u64 {
        match &self.open {
            Open::File { bytes, .. } => *bytes,
            _ => 0,
        }
    }

    /// Takes one record in.
    ///
    /// # Errors
    /// When nothing more can be written here, a full disk for one.
    pub(super) fn take(&mut self, record: Record) -> Result<(), VolumeError> {
        match record {
            Record::Data(data) => self.data(&data),
            Record::Item(item) => self.item(item),
        }
    }

    fn data(&mut self, data: &[u8]) -> Result<(), VolumeError> {
        if let Open::File { staged, bytes, path, .. } = &mut self.open {
            let written = staged.write_all(data);
            *bytes += data.len() as u64;
            if let Some(digest) = &mut self.digest {
                digest.update(data);
            }
            let path = path.clone();
            if let Err(source) = written {
                self.open = Open::Nothing;
                return Err(self.failed(&path, source));
            }
        }
        Ok(())
    }

    fn item(&mut self, item: Item) -> Result<(), VolumeError> {
        match item {
            Item::Directory { path, mode } => {
                let Some(path) = self.path(path) else { return Ok(()) };
                self.note(b"d", &path, &mode.to_be_bytes());
                let made = self.place.directory(&path).and_then(|made| made.set_mode(mode));
                self.settle(&path, made)
            }
            Item::File { path, mode, version } => {
                self.open = Open::Passing;
                let Some(path) = self.path(path) else { return Ok(()) };
                self.note(b"f", &path, &mode.to_be_bytes());
                match self.place.stage(&path) {
                    Ok(staged) => {
                        self.open = Open::File { path, mode, version, staged, bytes: 0 };
                        Ok(())
                    }
                    Err(error) => self.settle(&path, Err(error)),
                }
            }
            Item::End { broken } => self.end(broken),
            Item::Link { path, target } => {
                let Some(path) = self.path(path) else { return Ok(()) };
                let target = Vec::from(target);
                self.note(b"l", &path, &target);
                self.link(&path, &target)
            }
            Item::Skipped { path, reason } => {
                let shown = shown(&path);
                self.skip(shown, reason);
                Ok(())
            }
            // The end of it all, or of another kind of stream: for whoever reads the records.
            _ => Ok(()),
        }
    }

    fn end(&mut self, broken: Option<String>) -> Result<(), VolumeError> {
        let Open::File { path, mode, version, staged, bytes } =
            std::mem::replace(&mut self.open, Open::Nothing)
        else {
            return Ok(());
        };
        if let Some(reason) = broken {
            self.skip(path.to_string(), reason);
            return Ok(());
        }
        // Readable to its owner, who is another one here.
        if let Err(error) = staged.commit(mode | 0o400) {
            return self.settle(&path, Err(error));
        }
        self.done.files += 1;
        self.done.bytes += bytes;
        if let Ok(stat) = self.place.stat(&path) {
            let local = Version { inode: stat.inode, size: stat.size, changed: stat.changed };
            self.copies.push((path, Copy { pod: version, local }));
        }
        Ok(())
    }

    fn link(&mut self, path: &Inside, target: &[u8]) -> Result<(), VolumeError> {
        let target = self.relative(path, target);
        if self.place.is_one_file() || !path.keeps_inside(&target) {
            let reason = format!("a link that leads out of the volume: {}", target.escape_ascii());
            self.skip(path.to_string(), reason);
            return Ok(());
        }
        let Some((above, name)) = path.split() else { return Ok(()) };
        let made = self.place.parent(&above).and_then(|parent| parent.put_link(name, &target));
        self.done.links += u64::from(made.is_ok());
        self.settle(path, made)
    }

    /// An absolute link to something in the volume, as a relative one; any other as it is.
    fn relative(&self, path: &Inside, target: &[u8]) -> Vec<u8> {
        let Some(rest) = target.strip_prefix(self.mount.as_bytes()) else { return target.to_vec() };
        if !rest.starts_with(b"/") {
            return target.to_vec();
        }
        let rest: Vec<u8> = rest.iter().skip_while(|b| **b == b'/').copied().collect();
        [b"../".repeat(path.depth().saturating_sub(1)), rest].concat()
    }

    fn path(&mut self, path: Bytes) -> Option<Inside> {
        let parsed = Inside::parse(Vec::from(path.clone()));
        let good = parsed.as_ref().is_ok_and(|parsed| parsed.is_top() == self.place.is_one_file());
        if !good {
            self.skip(shown(&path), "not a path in the volume".to_owned());
            return None;
        }
        let parsed = parsed.ok()?;
        if let Some(name) = parsed.names().next() {
            self.names.insert(name.to_vec());
        }
        Some(parsed)
    }

    fn note(&mut self, kind: &[u8], path: &Inside, rest: &[u8]) {
        let Some(digest) = &mut self.digest else { return };
        for part in [kind, path.as_bytes(), rest] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
    }

    /// What concerns one entry is noted, and the others go on; what concerns the disk ends it.
    fn settle(&mut self, path: &Inside, done: io::Result<()>) -> Result<(), VolumeError> {
        use io::ErrorKind as E;
        match done {
            Ok(()) => Ok(()),
            Err(error) => match error.kind() {
                E::StorageFull | E::QuotaExceeded | E::ReadOnlyFilesystem | E::NotFound => {
                    Err(self.failed(path, error))
                }
                _ => {
                    self.skip(path.to_string(), format!("it cannot be written here: {error}"));
                    Ok(())
                }
            },
        }
    }

    fn failed(&self, path: &Inside, source: io::Error) -> VolumeError {
        VolumeError::Local { doing: "writing", path: self.at.join(path.to_string()), source }
    }

    fn skip(&mut self, path: String, reason: String) {
        self.done.skipped_count += 1;
        if self.done.skipped.len() < MOST_SKIPPED {
            self.done.skipped.push(Skipped { path, reason });
        }
    }
}

fn shown(path: &Bytes) -> String {
    Vec::from(path.clone()).escape_ascii().to_string()
}

#[cfg(test)]
mod tests;
