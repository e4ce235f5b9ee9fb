//! What the window asks of volumes.

use std::path::PathBuf;

use crate::sessions::Sessions;
use crate::view::{IfChanged, Report, VolumeListing, VolumeSize, WriteOutcome};

impl Sessions {
    /// Counts what a volume has in the pod.
    ///
    /// # Errors
    ///
    /// When there is no such session or volume, or the agent cannot read it.
    pub async fn measure_volume(&self, id: &str, volume: &str) -> Result<VolumeSize, Report> {
        let entry = self.find(id)?;
        let size = super::measure(&entry.core, volume).await;
        entry.changed.notify_one();
        size
    }

    /// What a directory of a volume has in the pod; the top is the empty string.
    ///
    /// # Errors
    ///
    /// When there is no such session, volume or directory, or the agent cannot read it.
    pub async fn list_volume(
        &self,
        id: &str,
        volume: &str,
        directory: &str,
    ) -> Result<VolumeListing, Report> {
        super::list(&self.find(id)?.core, volume, directory).await
    }

    /// Begins to copy paths of a volume to this machine; none: everything. Returns at once.
    ///
    /// # Errors
    ///
    /// When there is no such session or volume, or files of it are being copied already.
    pub fn fetch_volume(&self, id: &str, volume: &str, paths: Vec<String>) -> Result<(), Report> {
        super::fetch(&self.find(id)?, volume, paths)
    }

    /// Ends a copy that is under way.
    ///
    /// # Errors
    ///
    /// When there is no such session.
    pub fn cancel_fetch(&self, id: &str, volume: &str) -> Result<(), Report> {
        super::cancel(&*self.find(id)?, volume);
        Ok(())
    }

    /// Files of this machine's copy of a volume that are not as they came.
    ///
    /// # Errors
    ///
    /// When there is no such session or copy.
    pub fn changed_files(&self, id: &str, volume: &str) -> Result<Vec<String>, Report> {
        super::back::changed_files(&*self.find(id)?, volume)
    }

    /// Takes a volume's files from this pod from now on.
    ///
    /// # Errors
    ///
    /// When there is no such session, volume or pod, or the volume is kept fresh by itself.
    pub fn choose_volume_pod(&self, id: &str, volume: &str, pod: &str) -> Result<(), Report> {
        super::choose_pod(&*self.find(id)?, volume, pod)
    }

    /// Writes files of this machine back to a volume. Those that are not what was copied are in the answer.
    ///
    /// # Errors
    ///
    /// When there is no such session or volume, or the agent does not take them.
    pub async fn write_back(
        &self,
        id: &str,
        volume: &str,
        paths: Vec<String>,
        if_changed: IfChanged,
    ) -> Result<WriteOutcome, Report> {
        super::back::write(&*self.find(id)?, volume, paths, if_changed).await
    }

    /// Where this machine's copy of a volume stands.
    ///
    /// # Errors
    ///
    /// When there is no such session or copy.
    pub fn volume_directory(&self, id: &str, volume: &str) -> Result<PathBuf, Report> {
        super::place(&*self.find(id)?, volume)
    }
}
