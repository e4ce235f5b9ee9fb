//! A copy on its way, as whoever asked for it sees it.

use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::{Fetched, Progress, VolumeError};

/// A copy on its way. Dropping it ends it: files that are whole stay, the one that was on its way goes.
#[derive(Debug)]
pub struct Transfer {
    progress: watch::Receiver<Progress>,
    task: AbortOnDropHandle<Result<Fetched, VolumeError>>,
    mount: String,
}

impl Transfer {
    pub(super) fn new(
        mount: &str,
        progress: watch::Receiver<Progress>,
        work: impl Future<Output = Result<Fetched, VolumeError>> + Send + 'static,
    ) -> Self {
        let task = AbortOnDropHandle::new(tokio::spawn(work));
        Self { progress, task, mount: mount.to_owned() }
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Waits until it is farther; `false` when there is no more to come, and so [`Self::finish`] answers.
    pub async fn advanced(&mut self) -> bool {
        self.progress.changed().await.is_ok()
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// As [`VolumeError`] says; what was copied until then stays.
    pub async fn finish(self) -> Result<Fetched, VolumeError> {
        let mount = self.mount;
        self.task.await.unwrap_or_else(|error| {
            Err(VolumeError::Tunnel { mount, reason: format!("the copying ended: {error}") })
        })
    }
}
