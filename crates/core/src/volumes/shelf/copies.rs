//! What was copied on demand, and from which pod: several pods may have different files.

use std::collections::BTreeMap;
use std::sync::Arc;

use towline_beneath::Inside;
use towline_wire::files::Version;

use super::Shelf;
use crate::tunnel::Streams;
use crate::volumes::{Handling, VolumeError};

/// Every file that was copied, by mount path.
#[derive(Default)]
pub(super) struct Copies(BTreeMap<String, BTreeMap<Inside, (Arc<str>, Copy)>>);

/// A file as it was copied: its state in the pod, and the copy's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::volumes) struct Copy {
    pub(in crate::volumes) pod: Version,
    pub(in crate::volumes) local: Version,
}

impl Shelf {
    /// Remembers what was copied from which pod, or written to it.
    pub(in crate::volumes) fn remember(&self, mount: &str, pod: &str, files: Vec<(Inside, Copy)>) {
        if files.is_empty() {
            return;
        }
        let pod: Arc<str> = pod.into();
        let files = files.into_iter().map(|(path, copy)| (path, (pod.clone(), copy)));
        self.lock().copies.0.entry(mount.to_owned()).or_default().extend(files);
    }

    /// The copy of a file, and the pod that it came from.
    pub(in crate::volumes) fn copy(&self, mount: &str, path: &Inside) -> Option<(Arc<str>, Copy)> {
        self.lock().copies.0.get(mount)?.get(path).cloned()
    }

    /// From now on the files of `mount` are those of `pod`. Copies from other pods stay here, and are written back to where they came from.
    pub(crate) fn choose_pod(&self, mount: &str, pod: &str) -> Result<(), VolumeError> {
        if self.find(mount)?.planned.handling != Handling::OnDemand {
            return Err(VolumeError::KeptFresh { mount: mount.to_owned() });
        }
        let there = self.board.pods();
        if !there.iter().any(|known| known == pod) {
            return Err(VolumeError::NoSuchPod { pod: pod.to_owned(), there });
        }
        self.settle_on(mount, pod);
        Ok(())
    }

    /// An agent to ask for `mount`: that of `pod`, else of the volume's own pod, as long as it is there; else the first, which is then the volume's.
    pub(in crate::volumes) async fn agent(
        &self,
        mount: &str,
        pod: Option<&str>,
    ) -> Result<(String, Streams), VolumeError> {
        let own = self.own_pod(mount);
        let agent = self.board.wait_for_pod(pod.or(own.as_deref())).await;
        let (name, streams) =
            agent.ok_or_else(|| VolumeError::NoAgent { mount: mount.to_owned() })?;
        if pod.is_none() {
            self.settle_on(mount, &name);
        }
        Ok((name, streams))
    }

    fn own_pod(&self, mount: &str) -> Option<String> {
        let inner = self.lock();
        let volume = inner.volumes.iter().find(|volume| volume.planned.mount_path == mount)?;
        volume.pod.clone()
    }

    fn settle_on(&self, mount: &str, pod: &str) {
        self.change(mount, |volume| {
            if volume.pod.as_deref() != Some(pod) {
                // Another pod may have another number of files.
                (volume.pod, volume.measured) = (Some(pod.to_owned()), None);
            }
        });
    }
}
