//! The volumes of a session: how they stand, and copies both ways on the user's word.

mod asked;
mod back;
mod changed;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio_util::task::AbortOnDropHandle;
use towline_core::report::{Code, Explain};
use towline_core::session::Session;
use towline_core::volumes::{
    self, DEFAULT_LIMIT, EntryKind, Handling, Measured, Progress, Transfer,
};
use towline_wire::header::Bytes;

use super::entry::Entry;
use crate::launch::volume;
use crate::report::{explained, failure};
use crate::view::{
    Report, SessionVolume, VolumeEntry, VolumeEntryKind, VolumeListing, VolumeSize, VolumeState,
};

/// What goes on with the volumes of a session, by mount path.
#[derive(Default)]
pub(super) struct Copies(Mutex<BTreeMap<String, Copying>>);

/// What goes on with one volume.
#[derive(Default)]
struct Copying {
    /// A copy that is under way: dropping it ends it.
    task: Option<AbortOnDropHandle<()>>,
    progress: Progress,
    /// Why the last one failed.
    failed: Option<Report>,
    /// When files were written back, by path.
    written: BTreeMap<String, Timestamp>,
}

impl Copies {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Copying>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of<T>(&self, mount: &str, change: impl FnOnce(&mut Copying) -> T) -> T {
        change(self.lock().entry(mount.to_owned()).or_default())
    }

    /// The volumes as the window shows them.
    pub(super) fn view(&self, volumes: Vec<volumes::Volume>) -> Vec<SessionVolume> {
        let all = self.lock();
        let view = |volume: volumes::Volume| shown(&volume, all.get(&volume.planned.mount_path));
        volumes.into_iter().map(view).collect()
    }

    /// The session is over.
    pub(super) fn end(&self) {
        self.lock().clear();
    }
}

fn shown(known: &volumes::Volume, copying: Option<&Copying>) -> SessionVolume {
    let state = state(known, copying);
    let here = !matches!(state, VolumeState::Waiting | VolumeState::OnDemand | VolumeState::Left);
    let local = known.local.as_ref().filter(|_| here);
    let counted = (known.planned.handling == Handling::Copied && known.fresh_at.is_some())
        .then_some(VolumeSize { files: known.files, bytes: known.bytes, complete: true });
    SessionVolume {
        volume: volume(&known.planned),
        pod: known.pod.clone(),
        path: local.map(|path| path.to_string_lossy().into_owned()),
        size: known.measured.as_ref().map(size).or(counted),
        state,
    }
}

fn state(known: &volumes::Volume, copying: Option<&Copying>) -> VolumeState {
    if let Some(copying) = copying.filter(|copying| copying.task.is_some()) {
        let Progress { files, bytes, of } = copying.progress;
        return VolumeState::Fetching { bytes, total: of.map(|of| of.bytes), files };
    }
    let failed = copying.and_then(|copying| copying.failed.clone());
    let failed = failed.or_else(|| known.error.clone().map(Report::from));
    if let Some(report) = failed {
        return VolumeState::Failed { report };
    }
    match (known.planned.handling, known.fresh_at) {
        (Handling::Left, _) => VolumeState::Left,
        (Handling::Copied, None) => VolumeState::Waiting,
        (Handling::Copied, Some(fresh)) => {
            VolumeState::Fresh { since: known.changed_at.unwrap_or(fresh).as_millisecond() }
        }
        (Handling::OnDemand, None) => VolumeState::OnDemand,
        (Handling::OnDemand, Some(at)) => {
            VolumeState::Fetched { at: at.as_millisecond(), files: known.files, bytes: known.bytes }
        }
    }
}

fn size(measured: &Measured) -> VolumeSize {
    let Measured { files, bytes, complete, .. } = *measured;
    VolumeSize { files, bytes, complete }
}

/// Counts what the volume has in the pod.
pub(super) async fn measure(core: &Session, mount: &str) -> Result<VolumeSize, Report> {
    let measured = core.measure(mount, Vec::new()).await;
    measured.map(|measured| size(&measured)).map_err(|error| explained(&error))
}

/// What a directory of the volume has in the pod.
pub(super) async fn list(
    core: &Session,
    mount: &str,
    directory: &str,
) -> Result<VolumeListing, Report> {
    let listed = core.list_volume(mount, Bytes::Text(directory.to_owned())).await;
    let listed = listed.map_err(|error| explained(&error))?;
    let entry = |entry: volumes::Entry| {
        let kind = match entry.kind {
            EntryKind::File => VolumeEntryKind::File,
            EntryKind::Directory => VolumeEntryKind::Directory,
            EntryKind::Link => VolumeEntryKind::Link,
            EntryKind::Special => VolumeEntryKind::Special,
        };
        let (name, is_text) = match entry.name {
            Bytes::Text(name) => (name, true),
            Bytes::Raw(raw) => (String::from_utf8_lossy(&raw).into_owned(), false),
        };
        let choosable = is_text && kind != VolumeEntryKind::Special;
        let (size, modified) = (entry.size, entry.modified.saturating_mul(1000));
        VolumeEntry { name, kind, size, modified, choosable }
    };
    let entries = listed.entries.into_iter().map(entry).collect();
    Ok(VolumeListing { entries, complete: listed.complete })
}

/// Begins to copy paths of the volume to this machine; none: everything.
pub(super) fn fetch(entry: &Arc<Entry>, mount: &str, paths: Vec<String>) -> Result<(), Report> {
    if entry.copies.of(mount, |copying| copying.task.is_some()) {
        let message = format!("Files of {mount} are being copied already.");
        return Err(failure(Code::Input, message, Some("Wait for them, or cancel that copy.")));
    }
    let paths = paths.into_iter().map(Bytes::Text).collect();
    let transfer =
        entry.core.fetch(mount, paths, DEFAULT_LIMIT).map_err(|error| explained(&error))?;
    let task = follow(Arc::clone(entry), mount.to_owned(), transfer);
    entry.copies.of(mount, |copying| {
        (copying.failed, copying.progress) = (None, Progress::default());
        copying.task = Some(AbortOnDropHandle::new(tokio::spawn(task)));
    });
    entry.changed.notify_one();
    Ok(())
}

async fn follow(entry: Arc<Entry>, mount: String, mut transfer: Transfer) {
    loop {
        entry.copies.of(&mount, |copying| copying.progress = transfer.progress());
        entry.changed.notify_one();
        if !transfer.advanced().await {
            break;
        }
    }
    let came = transfer.finish().await;
    let now = Timestamp::now().as_millisecond();
    let failed = match &came {
        Ok(fetched) => {
            for skipped in fetched.skipped.iter().take(20) {
                let detail = format!("{mount}/{}: {}", skipped.path, skipped.reason);
                entry.course().tell(now, crate::view::Tone::Warning, "Not copied", detail);
            }
            None
        }
        Err(error) => Some(Report::from(error.explain())),
    };
    entry.copies.of(&mount, |copying| {
        copying.failed = failed;
        // Its own handle, and it is at its end.
        if let Some(task) = copying.task.take() {
            drop(task.detach());
        }
    });
    entry.changed.notify_one();
}

/// Ends a copy that is under way.
pub(super) fn cancel(entry: &Entry, mount: &str) {
    entry.copies.of(mount, |copying| copying.task = None);
    entry.changed.notify_one();
}

/// Takes the volume's files from that pod from now on.
pub(super) fn choose_pod(entry: &Entry, mount: &str, pod: &str) -> Result<(), Report> {
    entry.core.choose_pod(mount, pod).map_err(|error| explained(&error))?;
    entry.changed.notify_one();
    Ok(())
}

/// Where this machine's copy stands.
pub(super) fn place(entry: &Entry, mount: &str) -> Result<std::path::PathBuf, Report> {
    let local = find(entry, mount)?.local;
    local.ok_or_else(|| failure(Code::Input, format!("{mount} has no copy on this machine."), None))
}

fn find(entry: &Entry, mount: &str) -> Result<volumes::Volume, Report> {
    let found = entry.core.volumes().into_iter().find(|known| known.planned.mount_path == mount);
    found.ok_or_else(|| {
        failure(Code::Input, format!("The container has no volume at {mount}."), None)
    })
}

#[cfg(test)]
mod tests;
