//! Telling the client of each change of small volumes.
//!
//! The kubelet writes config maps, secrets and projected volumes by swapping the link `..data`, so looking at that link once a second tells every
//! change, on every file system and without a limit on watches that other programs of the node may have used up.

use std::thread;
use std::time::Duration;

use towline_beneath::{FileStat, Inside};
use towline_wire::files::record::Item;
use towline_wire::files::{Limit, Refusal, RefusalKind};
use towline_wire::header::Bytes;

use super::Sink;
use super::fetch::{Gone, Sender, send};
use super::mounts::Opened;
use super::walk::walk;

/// How often it is looked. The client is to know within 5 s.
const EVERY: Duration = Duration::from_secs(1);

/// After so many looks without a change the client hears that all is as it was.
const QUIET: u32 = 5;

/// More than this is no config map: etcd holds no object above 1.5 MiB, and a projected volume has a few of them.
const LIMIT: Limit = Limit { bytes: 32 << 20, entries: 10_000 };

/// How often in a row a mount that changes while it is read is read.
const TRIES: usize = 3;

/// The link that the kubelet swaps (pkg/volume/util/atomic_writer.go).
const DATA: &[u8] = b"..data";

/// What a mount looked like.
#[derive(Debug, PartialEq)]
enum Look {
    /// The kubelet's link, and where it leads.
    Data(Vec<u8>),
    File(FileStat),
    Tree(Vec<(Inside, FileStat)>),
    Failed(Refusal),
}

/// Watches until nobody listens any more.
pub(super) fn run(mounts: &[Bytes], to: &Sink) {
    let mut known: Vec<Option<Look>> = mounts.iter().map(|_| None).collect();
    let mut quiet = 0;
    while !to.is_closed() {
        for (mount, known) in mounts.iter().zip(&mut known) {
            let look = look(mount);
            if known.as_ref() == Some(&look) {
                continue;
            }
            quiet = 0;
            match tell(mount, look, to) {
                Ok(told) => *known = told,
                Err(Gone) => return,
            }
        }
        quiet += 1;
        if quiet > QUIET {
            quiet = 0;
            if send(to, &Item::Unchanged).is_err() {
                return;
            }
        }
        thread::sleep(EVERY);
    }
}

fn look(mount: &Bytes) -> Look {
    let opened = match Opened::find(mount) {
        Ok(opened) => opened,
        Err(refusal) => return Look::Failed(refusal),
    };
    let failed = |error| Look::Failed(Refusal::of("looking at it", &error));
    if let Some(name) = &opened.file {
        return opened.directory.stat(name).map_or_else(failed, Look::File);
    }
    if let Ok(target) = opened.directory.read_link(DATA) {
        return Look::Data(target);
    }
    let mut tree = Vec::new();
    let walked = walk(&opened, &[Inside::top()], &mut |found| {
        if let Ok(stat) = found.stat {
            tree.push((found.path.clone(), stat));
        }
        match tree.len() as u64 > LIMIT.entries {
            true => std::ops::ControlFlow::Break(()),
            false => std::ops::ControlFlow::Continue(()),
        }
    });
    match walked {
        Ok(()) => Look::Tree(tree),
        Err(refusal) => Look::Failed(refusal),
    }
}

/// Sends the whole mount; the value is what it looked like all the while, or nothing where it did not keep still.
fn tell(mount: &Bytes, mut before: Look, to: &Sink) -> Result<Option<Look>, Gone> {
    for _ in 0..TRIES {
        let (file, atomic) = (matches!(before, Look::File(_)), matches!(before, Look::Data(_)));
        send(to, &Item::Begin { mount: mount.clone(), file, atomic })?;
        let sent = match &before {
            Look::Failed(refusal) => Err(refusal.clone()),
            Look::Data(target) => below_data(mount, target, to)?,
            Look::File(_) | Look::Tree(_) => whole(mount, to)?,
        };
        let after = look(mount);
        if after != before {
            send(to, &Item::Discard { reason: None })?;
            before = after;
            continue;
        }
        match sent {
            Ok(()) => send(to, &Item::Commit)?,
            Err(refusal) => send(to, &Item::Discard { reason: Some(refusal.message) })?,
        }
        return Ok(Some(before));
    }
    Ok(None)
}

fn whole(mount: &Bytes, to: &Sink) -> Result<Result<(), Refusal>, Gone> {
    match Opened::find(mount) {
        Ok(opened) => all_of(&opened, to),
        Err(refusal) => Ok(Err(refusal)),
    }
}

fn below_data(mount: &Bytes, target: &[u8], to: &Sink) -> Result<Result<(), Refusal>, Gone> {
    let below = Opened::find(mount).and_then(|opened| {
        let inside = Inside::top()
            .join(target)
            .map_err(|error| Refusal::new(RefusalKind::Other, error.to_string()))?;
        let directory = opened.directory.descend(&inside);
        let directory = directory.map_err(|error| Refusal::of("opening ..data", &error))?;
        Ok(Opened { directory, others: Vec::new(), ..opened })
    });
    match below {
        Ok(opened) => all_of(&opened, to),
        Err(refusal) => Ok(Err(refusal)),
    }
}

fn all_of(opened: &Opened, to: &Sink) -> Result<Result<(), Refusal>, Gone> {
    let mut sender = Sender::new(to, LIMIT);
    let walked = walk(opened, &[Inside::top()], &mut |found| sender.take(&found));
    if sender.gone {
        return Err(Gone);
    }
    Ok(walked.and_then(|()| sender.refusal.map_or(Ok(()), Err)))
}
