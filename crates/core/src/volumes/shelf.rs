//! The session's volumes: what is known of each, and where it stands on this machine.

mod copies;
mod kept;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use towline_beneath::{Directory, Inside};
use towline_wire::files::{Ask, Mount};

use self::copies::Copies;
pub(super) use self::copies::Copy;
use super::{Handling, PlannedVolume, Volume, VolumeError};
use crate::session::board::Board;
use crate::session::chronicle::Chronicle;

/// Shared by the session's owner, its handles and its tasks.
pub(crate) struct Shelf {
    pub(super) board: Arc<Board>,
    pub(super) chronicle: Arc<Chronicle>,
    inner: Mutex<Inner>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Inner {
    root: Option<PathBuf>,
    volumes: Vec<Volume>,
    copies: Copies,
    /// The mount paths of those that are one file.
    single_files: BTreeSet<String>,
}

/// A volume that has its place on this machine.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) planned: PlannedVolume,
    pub(super) root: PathBuf,
    /// Whether it is one file.
    pub(super) file: bool,
}

impl Shelf {
    pub(crate) fn new(
        board: Arc<Board>,
        chronicle: Arc<Chronicle>,
        planned: &[PlannedVolume],
    ) -> Self {
        let shelf = Self {
            board,
            chronicle,
            inner: Mutex::new(Inner::default()),
            changes: watch::Sender::new(0),
        };
        shelf.lock().volumes = planned.iter().cloned().map(Volume::new).collect();
        shelf
    }

    /// Gives the volumes that the pod has their places below `directory`; returns the root. What was copied before stays where it is.
    pub(crate) fn open(
        &self,
        directory: &Path,
        planned: Vec<PlannedVolume>,
        mounts: &[Mount],
    ) -> io::Result<PathBuf> {
        let root = directory.join("root");
        let top = Directory::open(directory)?.make_directory(b"root")?;
        let mut inner = self.lock();
        let known = std::mem::take(&mut inner.volumes);
        for mut planned in planned {
            let path = inside(&planned.mount_path).map_err(io::Error::other)?;
            let mount = mounts.iter().find(|mount| mount.path == text(&planned.mount_path));
            planned.read_only |= mount.is_some_and(|mount| mount.read_only);
            // A mount at the root would be the whole container.
            if planned.handling == Handling::Left || path.is_top() {
                inner.volumes.push(Volume::new(planned));
                continue;
            }
            let place = match mount {
                Some(mount) if !mount.directory => {
                    inner.single_files.insert(planned.mount_path.clone());
                    path.split().map(|(above, _)| above)
                }
                _ => Some(path),
            };
            top.descend_or_make(&place.unwrap_or_default())?;
            let before =
                known.iter().find(|volume| volume.planned.mount_path == planned.mount_path);
            let mut volume = before.cloned().unwrap_or_else(|| Volume::new(planned.clone()));
            volume.local = Some(local(&root, &planned.mount_path));
            volume.planned = planned;
            inner.volumes.push(volume);
        }
        inner.root = Some(root.clone());
        Ok(root)
    }

    /// The files are about to go.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.root = None;
        inner.copies = Copies::default();
        for volume in &mut inner.volumes {
            volume.local = None;
            (volume.files, volume.bytes, volume.fresh_at) = (0, 0, None);
        }
    }

    pub(crate) fn root(&self) -> Option<PathBuf> {
        self.lock().root.clone()
    }

    pub(crate) fn volumes(&self) -> Vec<Volume> {
        let (mut volumes, pods) = (self.lock().volumes.clone(), self.board.pods());
        for volume in volumes.iter_mut().filter(|volume| volume.local.is_some()) {
            // The next question goes to the first, as `Board::wait_for_pod` has it.
            if !volume.pod.as_ref().is_some_and(|pod| pods.contains(pod)) {
                volume.pod = pods.first().cloned();
            }
        }
        volumes
    }

    pub(super) fn find(&self, mount: &str) -> Result<Placed, VolumeError> {
        let inner = self.lock();
        let found = inner.volumes.iter().find(|volume| volume.planned.mount_path == mount);
        let Some(found) = found else {
            let there = inner.volumes.iter().map(|volume| volume.planned.mount_path.clone());
            return Err(VolumeError::Unknown { path: mount.to_owned(), there: there.collect() });
        };
        match (&inner.root, &found.local) {
            (Some(root), Some(_)) => {
                let file = inner.single_files.contains(mount);
                Ok(Placed { planned: found.planned.clone(), root: root.clone(), file })
            }
            _ => Err(VolumeError::NoPlace { mount: mount.to_owned() }),
        }
    }

    pub(super) fn change(&self, mount: &str, change: impl FnOnce(&mut Volume)) {
        let mut inner = self.lock();
        if let Some(volume) =
            inner.volumes.iter_mut().find(|volume| volume.planned.mount_path == mount)
        {
            change(volume);
        }
        drop(inner);
        self.changes.send_modify(|number| *number += 1);
    }

    /// Asks an agent something that one frame answers.
    pub(super) async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        mount: &str,
        ask: Ask,
    ) -> Result<T, VolumeError> {
        let (_, streams) = self.agent(mount, None).await?;
        let answer: Result<T, _> = streams.ask_files(ask).await.map_err(|error| {
            VolumeError::Tunnel { mount: mount.to_owned(), reason: error.to_string() }
        })?;
        answer.map_err(|refusal| VolumeError::refused(mount, refusal))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that is done under the lock panics.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A mount path below the root.
pub(super) fn inside(mount_path: &str) -> Result<Inside, towline_beneath::NotInside> {
    Inside::parse(mount_path.trim_start_matches('/'))
}

/// Where a mount path is on this machine.
pub(super) fn local(root: &Path, mount_path: &str) -> PathBuf {
    root.join(mount_path.trim_start_matches('/'))
}

pub(super) fn text(text: &str) -> towline_wire::header::Bytes {
    towline_wire::header::Bytes::Text(text.to_owned())
}
