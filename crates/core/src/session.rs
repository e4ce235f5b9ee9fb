//! A session: does what a plan says, keeps it so, and puts everything back.
//!
//! One task owns the state (`actor`); everybody else asks by [`Session`], a handle. What happens is told in numbered events.

mod actor;
mod again;
mod agents;
mod await_pods;
pub(crate) mod board;
mod cause;
pub(crate) mod chronicle;
mod connections;
mod directory;
mod error;
mod files;
mod follow;
mod inbound;
mod install;
mod kubernetes;
mod lease;
mod outbound;
mod overlay;
mod own_hosts;
mod ready;
mod register;
mod restore;
mod restorer;
mod rollout;
mod services;
mod standing;
mod suspicion;
mod traffic;
mod variables;
mod way_in;

use std::net::SocketAddr;
use std::sync::Arc;

use futures::Stream;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use towline_helper::client::Helper;

use self::actor::Actor;
use self::chronicle::Chronicle;
pub use self::connections::{Connection, ConnectionRoute, ListenerUse};
pub use self::overlay::{Laid, Overlay};
use crate::cluster::Cluster;
use crate::environment::Environment;
use crate::event::{End, Event, Snapshot};
use crate::journal::Journal;
use crate::names::SessionNames;
use crate::plan::Plan;
use crate::volumes::{
    Bytes, IfChanged, Limit, Listed, Measured, Shelf, Transfer, Volume, VolumeError, WrittenBack,
};

/// A session under way. Cheap to clone; when the last handle is dropped, the session stops as by [`Self::stop`].
#[derive(Clone)]
pub struct Session {
    chronicle: Arc<Chronicle>,
    commands: mpsc::Sender<Command>,
    environment: watch::Receiver<Option<Environment>>,
    names: watch::Receiver<Arc<SessionNames>>,
    ended: watch::Receiver<Option<End>>,
    shelf: Arc<Shelf>,
}

/// What a session needs of this machine besides its plan.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where is written what must be undone.
    pub journal: Journal,
    /// Who changes the hosts file and gives low ports, where the plan needs that. A session without one asks for one by itself, before it changes
    /// anything; whoever wants to explain the system's question first gets it before.
    pub helper: Option<Helper>,
    /// What is put over the container's environment, if anything is.
    pub overlay: Option<Overlay>,
}

impl Surroundings {
    /// The user's journal, and no helper yet.
    pub fn of_user() -> Self {
        Self { journal: Journal::of_user(), helper: None, overlay: None }
    }
}

/// What a handle asks of the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Stop,
    Reconnect,
}

/// What the session's tasks tell the owner.
#[derive(Debug)]
enum Signal {
    /// The workload, after each change; `None`: it does not exist.
    Workload(Option<Box<Value>>),
    /// The workload's pods, after each change.
    Pods(Vec<Value>),
    /// A tunnel stands.
    AgentUp,
    /// An agent has answered a ping.
    AgentHeard,
    /// A tunnel does not stand yet, or not any more.
    NoTunnel { pod: String, reason: String, forbidden: bool },
    /// An agent will not take us.
    Refused { pod: String, reason: String },
    /// What came of renewing the lease.
    Lease(lease::Renewal),
    /// Something does not fit: look at the workload and the lease.
    Doubt,
}

impl Session {
    /// Begins the session that `plan` describes. Returns at once; [`Self::events`] tells what happens, [`Self::ended`] how it ended. Any
    /// failure on the way puts back what was done and ends with [`End::Failed`].
    ///
    /// Needs to be called within a tokio runtime, which must live until the session has ended.
    pub fn connect(cluster: Cluster, plan: Plan) -> Self {
        Self::connect_with(cluster, plan, Surroundings::of_user())
    }

    /// The same with surroundings of the caller's choice.
    pub fn connect_with(cluster: Cluster, plan: Plan, surroundings: Surroundings) -> Self {
        let chronicle = Arc::new(Chronicle::new(plan.session.clone(), plan.workload.clone()));
        let (commands, received) = mpsc::channel(4);
        let (tell_environment, environment) = watch::channel(None);
        let (tell_end, ended) = watch::channel(None);
        let (tell_names, names) = watch::channel(Arc::new(register::blank(&cluster, &plan)));
        let tell = actor::Tell { environment: tell_environment, names: tell_names };
        let actor = Actor::new(cluster, plan, surroundings, chronicle.clone(), received, tell);
        let shelf = actor.shelf.clone();
        tokio::spawn(async move {
            let end = actor.run().await;
            tell_end.send_replace(Some(end));
        });
        Self { chronicle, commands, environment, names, ended, shelf }
    }

    /// The events from number `from` (the first is 1) on: those of the past at once, those to come as they come. The stream ends after
    /// [`crate::event::What::Ended`]. The last 10,000 events are kept; a reader that is further behind sees a gap in the numbers.
    pub fn events(&self, from: u64) -> impl Stream<Item = Event> + Send + use<> {
        chronicle::events(self.chronicle.clone(), from)
    }

    /// The whole state, now.
    pub fn snapshot(&self) -> Snapshot {
        self.chronicle.snapshot()
    }

    /// The connections that are open and the last 500 that have ended, the newest first.
    pub fn connections(&self) -> Vec<Connection> {
        self.chronicle.counters.list.all()
    }

    /// How much each listener was used, those that never were left out.
    pub fn listener_uses(&self) -> Vec<ListenerUse> {
        self.chronicle.counters.list.uses()
    }

    /// The number of the newest connection; 0 before the first.
    pub fn last_connection(&self) -> u64 {
        self.chronicle.counters.list.last()
    }

    /// Waits until the connection that came to a listener from `peer`, with a number above `after`, stands at its far end or has ended. Never
    /// resolves if there is no such connection: the caller limits the wait.
    pub async fn settled(&self, peer: SocketAddr, after: u64) -> Connection {
        self.chronicle.counters.list.settled(peer, after).await
    }

    /// The environment for the local program; `None` before [`crate::event::What::Connected`].
    pub fn environment(&self) -> Option<Environment> {
        self.environment.borrow().clone()
    }

    /// The names, addresses and ports that the session has on this machine, as they are now.
    pub fn names(&self) -> Arc<SessionNames> {
        self.names.borrow().clone()
    }

    /// The container's volumes: what they are, where they stand on this machine, and how fresh.
    pub fn volumes(&self) -> Vec<Volume> {
        self.shelf.volumes()
    }

    /// Below which directory the volumes stand by their mount paths; none before they have their places, and without any wanted.
    pub fn volumes_root(&self) -> Option<std::path::PathBuf> {
        self.shelf.root()
    }

    /// How much there is in the pod of the volume at `mount` (its mount path), below `paths` in it or (without any) in all. Counting stops at a limit;
    /// what it has counted by then is then "more than".
    ///
    /// # Errors
    /// As [`VolumeError`] says.
    pub async fn measure(&self, mount: &str, paths: Vec<Bytes>) -> Result<Measured, VolumeError> {
        self.shelf.measure(mount, paths).await
    }

    /// What is in the pod in the directory `path` of the volume at `mount`; empty: at its top.
    ///
    /// # Errors
    /// As [`VolumeError`] says.
    pub async fn list_volume(&self, mount: &str, path: Bytes) -> Result<Listed, VolumeError> {
        self.shelf.list(mount, path).await
    }

    /// Takes the files of the volume at `mount` from `pod` from now on; without that they are those of the first of the session's pods, by name. Copies
    /// from another pod stay here, and are written back to where they came from.
    ///
    /// # Errors
    /// When there is no such volume or pod, or the volume is kept fresh by itself.
    pub fn choose_pod(&self, mount: &str, pod: &str) -> Result<(), VolumeError> {
        self.shelf.choose_pod(mount, pod)
    }

    /// Begins to copy `paths` (without any: everything) of the volume at `mount` to its place on this machine. What is there already is
    /// replaced, file by file, each whole. Needs to be called within a tokio runtime.
    ///
    /// # Errors
    /// When there is no such volume, or it is kept fresh by itself.
    pub fn fetch(
        &self,
        mount: &str,
        paths: Vec<Bytes>,
        limit: Limit,
    ) -> Result<Transfer, VolumeError> {
        self.shelf.fetch(mount, paths, limit)
    }

    /// Writes files of this machine's copy of the volume at `mount` back into the pod: those named, and of a named directory those that are new or
    /// were changed here.
    ///
    /// # Errors
    /// As [`VolumeError`] says; [`VolumeError::Changed`] for files that somebody has changed in the pod since they were copied, or that were never
    /// copied and are there.
    pub async fn write_back(
        &self,
        mount: &str,
        paths: Vec<Bytes>,
        if_changed: IfChanged,
    ) -> Result<WrittenBack, VolumeError> {
        self.shelf.write_back(mount, paths, if_changed).await
    }

    /// Puts everything back and ends. Resolves when that is done, or could not be done.
    pub async fn stop(&self) -> End {
        // A full queue holds commands already, and one of them, or the end, comes to the same.
        let _ = self.commands.try_send(Command::Stop);
        self.ended().await
    }

    /// Resolves when the session is over, for whatever reason.
    pub async fn ended(&self) -> End {
        let mut ended = self.ended.clone();
        let end = ended.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        end.unwrap_or_else(|| {
            let message = "The session's task ended without saying how".to_owned();
            let code = crate::report::Code::Internal;
            End::Failed { error: crate::report::Report { code, message, hint: None, detail: None } }
        })
    }

    /// Connects again after [`crate::event::What::Lapsed`]; without effect in any other state.
    pub async fn reconnect(&self) {
        let _ = self.commands.send(Command::Reconnect).await;
    }
}
