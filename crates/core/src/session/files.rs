//! The container's volumes on the way in: their places on this machine, and the first copies.

use std::path::PathBuf;
use std::time::Duration;

use towline_wire::files::{Ask, Mount, Refusal};

use super::actor::{Actor, Leaving, Live};
use super::agents::{runs, session_of};
use crate::event::What;
use crate::request::Volumes;
use crate::volumes::{Of, PlannedVolume, door, keep};

/// The program is not kept waiting longer than this for its files.
const PATIENCE: Duration = Duration::from_secs(10);

impl Actor {
    /// Gives the volumes their places, and waits for those that are copied. Returns the root. A volume that cannot be copied is told, and the
    /// session goes on.
    pub(super) async fn open_volumes(
        &mut self,
        live: &mut Live,
    ) -> Result<Option<PathBuf>, Leaving> {
        if self.plan.request.volumes == Volumes::None {
            return Ok(None);
        }
        let (Some(mounts), Some(directory)) = (self.mounts().await?, &self.directory) else {
            return Ok(None);
        };
        let root = match self.shelf.open(directory.path(), self.volumes(live), &mounts) {
            Ok(root) => root,
            Err(error) => {
                let message = format!("The volumes have no place on this machine: {error}");
                self.chronicle.tell(What::Warning { message });
                return Ok(None);
            }
        };
        live.spawn(keep(self.shelf.clone()));
        match door::open(directory.path()) {
            Ok(listener) => live.spawn(door::serve(listener, self.shelf.clone())),
            Err(error) => {
                let message = format!("`towline files` will not work with this session: {error}");
                self.chronicle.tell(What::Warning { message });
            }
        }
        let shelf = self.shelf.clone();
        tokio::select! {
            () = Self::stopped(&mut self.commands) => return Err(Leaving::Stopped),
            settled = tokio::time::timeout(PATIENCE, shelf.settled()) => {
                if settled.is_err() {
                    let message = format!("Not all volumes are here after {} s; they come later", PATIENCE.as_secs());
                    self.chronicle.tell(What::Warning { message });
                }
            }
        }
        Ok(Some(root))
    }

    /// What the agent's pod has: admission may have added to what the workload says.
    fn volumes(&self, live: &Live) -> Vec<PlannedVolume> {
        let (session, container) = (self.plan.session.as_str(), self.plan.container.as_str());
        let ours =
            |pod: &&serde_json::Value| session_of(pod) == Some(session) && runs(pod, container);
        let Some(pod) = live.pods.iter().find(ours) else { return self.plan.volumes.clone() };
        PlannedVolume::of_spec(&pod["spec"], container, Of::Pod, self.plan.request.volumes)
    }

    async fn mounts(&mut self) -> Result<Option<Vec<Mount>>, Leaving> {
        let board = self.board.clone();
        let asked = async {
            let (_, streams) = board.wait_for_pod(None).await.ok_or("no agent answers")?;
            let answer: Result<Vec<Mount>, Refusal> =
                streams.ask_files(Ask::Mounts).await.map_err(|error| error.to_string())?;
            answer.map_err(|refusal| refusal.to_string())
        };
        let mounts: Result<_, String> = tokio::select! {
            () = Self::stopped(&mut self.commands) => return Err(Leaving::Stopped),
            mounts = asked => mounts,
        };
        let told = mounts.map_err(|reason| {
            let message = format!("The volumes are not copied: the agent does not tell what it has ({reason}); an agent of an earlier release cannot");
            self.chronicle.tell(What::Warning { message });
        });
        Ok(told.ok())
    }
}
