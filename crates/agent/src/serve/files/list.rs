//! What is in a directory. A million entries are gone through in order to show the first few of them, but never kept.

use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

use towline_beneath::{Directory, FileKind, Inside};
use towline_wire::files::{Entry, EntryKind, Listed, Refusal};
use towline_wire::header::Bytes;

use super::PATIENCE;
use super::mounts::Opened;

/// The longest listing: it must fit in a frame.
const LONGEST: u32 = 3_000;

/// The first `most` entries, directories before all else, each by name.
pub(super) fn run(mount: &Bytes, path: Bytes, most: u32) -> Result<Listed, Refusal> {
    let (opened, path) = (Opened::find(mount)?, super::inside(path)?);
    of(&opened, &path, most, Instant::now() + PATIENCE)
        .map_err(|error| Refusal::of(format!("listing '{path}'"), &error))
}

pub(super) fn of(
    opened: &Opened,
    path: &Inside,
    most: u32,
    deadline: Instant,
) -> io::Result<Listed> {
    let mut first =
        First { most: most.min(LONGEST) as usize, kept: BTreeMap::new(), complete: true };
    if let Some(name) = &opened.file {
        first.take(&opened.directory.descend(&Inside::top())?, name.clone(), None);
        return Ok(first.listed());
    }
    let directory = opened.directory.descend(path)?;
    for (seen, entry) in directory.entries()?.enumerate() {
        if seen % 256 == 255 && Instant::now() > deadline {
            first.complete = false;
            break;
        }
        let (name, kind) = entry?;
        first.take(&directory, name, kind);
    }
    Ok(first.listed())
}

/// The first entries of those that have come.
struct First {
    most: usize,
    /// By whether it is no directory, and its name.
    kept: BTreeMap<(bool, Vec<u8>), Entry>,
    complete: bool,
}

impl First {
    fn take(&mut self, directory: &Directory, name: Vec<u8>, kind: Option<FileKind>) {
        // What comes after the last is not even looked at.
        if let (Some(kind), Some(last)) = (kind, self.last())
            && (kind != FileKind::Directory, &name) > (last.0, &last.1)
        {
            self.complete = false;
            return;
        }
        // One that vanishes meanwhile is not there.
        let Ok(stat) = directory.stat(&name) else { return };
        let kind = match stat.kind {
            FileKind::File => EntryKind::File,
            FileKind::Directory => EntryKind::Directory,
            FileKind::Link => EntryKind::Link,
            FileKind::Special => EntryKind::Special,
        };
        let (size, modified) = (stat.size, stat.modified);
        let entry = Entry { name: name.clone().into(), kind, size, modified };
        self.kept.insert((stat.kind != FileKind::Directory, name), entry);
        if self.kept.len() > self.most {
            self.complete = false;
            self.kept.pop_last();
        }
    }

    /// The last that is kept, once there are as many as may be.
    fn last(&self) -> Option<&(bool, Vec<u8>)> {
        let full = self.kept.len() >= self.most;
        self.kept.last_key_value().map(|(key, _)| key).filter(|_| full)
    }

    fn listed(self) -> Listed {
        let mut named: Vec<(Vec<u8>, Entry)> =
            self.kept.into_iter().map(|((_, name), entry)| (name, entry)).collect();
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        let entries = named.into_iter().map(|(_, entry)| entry).collect();
        Listed { entries, complete: self.complete }
    }
}
