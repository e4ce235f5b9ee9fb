//! The volumes that are kept fresh.

use jiff::Timestamp;

use super::Shelf;
use crate::event::What;
use crate::report::Explain;
use crate::volumes::{Handling, VolumeError};

impl Shelf {
    /// The mount paths of the volumes that are kept fresh.
    pub(crate) fn copied(&self) -> Vec<String> {
        let inner = self.lock();
        let copied =
            inner.volumes.iter().filter(|volume| volume.planned.handling == Handling::Copied);
        copied.map(|volume| volume.planned.mount_path.clone()).collect()
    }

    /// The mount paths of those of them that are not here yet.
    pub(in crate::volumes) fn never_copied(&self) -> Vec<String> {
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

    /// A volume that is kept fresh is here as it is in the pod.
    pub(in crate::volumes) fn refreshed(&self, mount: &str, files: u64, bytes: u64, changed: bool) {
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
    pub(in crate::volumes) fn unchanged(&self) {
        let now = Timestamp::now();
        for volume in &mut self.lock().volumes {
            if volume.planned.handling == Handling::Copied && volume.error.is_none() {
                volume.fresh_at = volume.fresh_at.map(|_| now);
            }
        }
    }

    /// A volume could not be copied. What is here stays.
    pub(in crate::volumes) fn failed(&self, mount: &str, error: &VolumeError) {
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
}
