//! Writing in place, for a file that is a mount or has several names, and on Windows always. Only what differs is written, and copies of the file before and after are kept until
//! that is done: a failure puts the old bytes back, and what a kill cuts short is told by the copies and put back the next time.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::super::HostsFileError;
use super::{Current, Lock, Outcome, system};

pub(super) fn write(
    current: &Current<'_>,
    lock: &Lock,
    new: &[u8],
) -> Result<Outcome, HostsFileError> {
    let file = system::open_to_write(current.path)
        .map_err(|source| current.failed("open it for writing", source))?;
    let copies = Copies::of(lock);
    copies
        .keep(&current.bytes, new)
        .map_err(|source| current.failed("keep a copy of it", source))?;
    if !current.is_unchanged()? {
        copies.discard();
        return Ok(Outcome::Contended);
    }
    if let Err(source) = system::reserve(&file, new.len()) {
        copies.discard();
        return Err(current.failed("make room", source));
    }
    if let Err(source) = overwrite(&file, &current.bytes, new) {
        return match overwrite(&file, new, &current.bytes) {
            Ok(()) => {
                copies.discard();
                Err(current.failed("write it in place", source))
            }
            // The copies stay.
            Err(source) => Err(damaged(current.path, &copies, source)),
        };
    }
    copies.discard();
    Ok(Outcome::Done)
}

/// Puts back the old bytes, if a kill cut a write short. A file that somebody has changed since is left alone.
pub(super) fn finish(path: &Path, lock: &Lock) -> Result<(), HostsFileError> {
    let copies = Copies::of(lock);
    let Some((before, after)) = copies.read() else {
        return Ok(());
    };
    let current = Current::read(path)?;
    if current.bytes != after && was_cut(&before, &after, &current.bytes) {
        let file = system::open_to_write(path)
            .map_err(|source| current.failed("open it for writing", source))?;
        overwrite(&file, &current.bytes, &before)
            .map_err(|source| damaged(path, &copies, source))?;
    }
    copies.discard();
    Ok(())
}

fn damaged(path: &Path, copies: &Copies, source: io::Error) -> HostsFileError {
    HostsFileError::Damaged { path: path.to_owned(), copy: copies.before.clone(), source }
}

/// Whether `current` is what remains when `after` is written over `before` and that ends at any byte.
pub(super) fn was_cut(before: &[u8], after: &[u8], current: &[u8]) -> bool {
    let written = current.iter().zip(after).take_while(|(a, b)| a == b).count();
    current[written..] == before[written.min(before.len())..]
}

/// Writes from the first byte that differs; readers see all that stands before it at any moment.
fn overwrite(file: &File, old: &[u8], new: &[u8]) -> io::Result<()> {
    let same = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    system::write_at(file, &new[same..], same as u64)?;
    file.set_len(new.len() as u64)?;
    file.sync_all()
}

/// The file before and after, in the lock's directory.
struct Copies {
    before: PathBuf,
    after: PathBuf,
}

impl Copies {
    fn of(lock: &Lock) -> Self {
        Self { before: lock.scratch.join("hosts.before"), after: lock.scratch.join("hosts.after") }
    }

    fn keep(&self, before: &[u8], after: &[u8]) -> io::Result<()> {
        self.discard();
        // The first is last, since `read` takes both or none.
        store(&self.after, after)?;
        store(&self.before, before).inspect_err(|_| self.discard())
    }

    fn read(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        Some((fs::read(&self.before).ok()?, fs::read(&self.after).ok()?))
    }

    fn discard(&self) {
        for copy in [&self.before, &self.after] {
            // What is still there is only ever read together with a file that looks cut.
            let _ = fs::remove_file(copy);
        }
    }
}

/// Complete under its name, or not there.
fn store(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    if let Err(error) = fs::remove_file(&part)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let file = system::create_private(&part)?;
    system::write_at(&file, bytes, 0)?;
    file.sync_all()?;
    // Windows moves no file that is open.
    drop(file);
    fs::rename(&part, path)
}
