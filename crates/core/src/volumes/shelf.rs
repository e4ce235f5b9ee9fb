//! The session's volumes: what is known of each, and where it stands on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;
use towline_beneath::{Directory, Inside};
use towline_wire::files::{Ask, Mount, Version};

use super::{Handling, PlannedVolume, Volume, VolumeError};
use crate::event::What;
use crate::report::Explain;
use crate::session::board::Board;
use crate::session::chronicle::Chronicle;
use crate::tunnel::Streams;

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
    /// By mount path: the pod that the last copy came from, and every file of it.
    copies: BTreeMap<String, Copies>,
    /// The mount paths of those that are one file.
    single_files: BTreeSet<String>,
}

#[derive(Default)]
struct Copies {
    pod: String,
    files: BTreeMap<Inside, Copy>,
}

/// A file as it was copied: its state in the pod, and the copy's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Copy {
    pub(super) pod: Version,
    pub(super) local: Version,
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
        inner.copies.clear();
        for volume in &mut inner.volumes {
            volume.local = None;
            (volume.files, volume.bytes, volume.fresh_at) = (0, 0, None);
        }
    }

    pub(crate) fn root(&self) -> Option<PathBuf> {
        self.lock().root.clone()
    }

    pub(crate) fn volumes(&self) -> Vec<Volume> {
        self.lock().volumes.clone()
    }

    /// The mount paths of the volumes that are kept fresh.
    pub(crate) fn copied(&self) -> Vec<String> {
        let inner = self.lock();
        let copied =
            inner.volumes.iter().filter(|volume| volume.planned.handling == Handling::Copied);
        copied.map(|volume| volume.planned.mount_path.clone()).collect()
    }

    /// The mount paths of those of them that are not here yet.
    pub(super) fn never_copied(&self) -> Vec<String> {
        let inner = self.lock();
        let missing = inner.volumes.iter().filter(|volume| {
            volume.planned.handling == Handling::Copied && volume.fresh_at.is_none()
        });
        missing.map(|volume| volume.planned.mount_path.clone()).collect()
    }

    /// Resolves when every volume that is kept fresh has been copied, or could not be.
    pub(crate) async fn settled(&self) {
        let mut changes = self.changes.subscribe();
        let settled = |_: &u64| {
            self.lock().volumes.iter().all(|volume| {
                volume.planned.handling != Handling::Copied
                    || volume.fresh_at.is_some()
                    || volume.error.is_some()
            })
        };
        // An error would mean that the sender is gone; it is borrowed here.
        let _ = changes.wait_for(settled).await;
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

    /// A volume that is kept fresh is here as it is in the pod.
    pub(super) fn refreshed(&self, mount: &str, files: u64, bytes: u64, changed: bool) {
        let now = Timestamp::now();
        let mut again = false;
        self.change(mount, |volume| {
            again = volume.fresh_at.is_some();
            volume.fresh_at = Some(now);
            volume.error = None;
            (volume.files, volume.bytes) = (files, bytes);
            if changed {
                volume.changed_at = Some(now);
            }
        });
        // The first copy is part of connecting.
        if changed && again {
            self.chronicle.tell(What::VolumeRefreshed { mount: mount.to_owned(), files, bytes });
        }
    }

    /// All volumes that are kept fresh are as they were.
    pub(super) fn unchanged(&self) {
        let now = Timestamp::now();
        for volume in &mut self.lock().volumes {
            if volume.planned.handling == Handling::Copied && volume.error.is_none() {
                volume.fresh_at = volume.fresh_at.map(|_| now);
            }
        }
    }

    /// A volume could not be copied. What is here stays.
    pub(super) fn failed(&self, mount: &str, error: &VolumeError) {
        let report = error.explain();
        let mut new = false;
        self.change(mount, |volume| {
            new = volume.error.as_ref() != Some(&report);
            volume.error = Some(report.clone());
        });
        if new {
            let reason = report.message;
            self.chronicle.tell(What::VolumeFailed { mount: mount.to_owned(), reason });
        }
    }

    /// Remembers what was copied from which pod.
    pub(super) fn remember(&self, mount: &str, pod: &str, files: Vec<(Inside, Copy)>) {
        let mut inner = self.lock();
        let copies = inner.copies.entry(mount.to_owned()).or_default();
        pod.clone_into(&mut copies.pod);
        copies.files.extend(files);
    }

    /// The copy of a file.
    pub(super) fn copy(&self, mount: &str, path: &Inside) -> Option<Copy> {
        self.lock().copies.get(mount)?.files.get(path).copied()
    }

    /// An agent to ask for `mount`: that of the pod that the copy came from, as long as it is there; several pods may have different files.
    pub(super) async fn agent(&self, mount: &str) -> Result<(String, Streams), VolumeError> {
        let pod = self.lock().copies.get(mount).map(|copies| copies.pod.clone());
        let agent = self.board.wait_for_pod(pod.as_deref()).await;
        agent.ok_or_else(|| VolumeError::NoAgent { mount: mount.to_owned() })
    }

    /// Asks an agent something that one frame answers.
    pub(super) async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        mount: &str,
        ask: Ask,
    ) -> Result<T, VolumeError> {
        let (_, streams) = self.agent(mount).await?;
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

impl Volume {
    fn new(planned: PlannedVolume) -> Self {
        Self {
            planned,
            local: None,
            files: 0,
            bytes: 0,
            fresh_at: None,
            changed_at: None,
            measured: None,
            error: None,
        }
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
