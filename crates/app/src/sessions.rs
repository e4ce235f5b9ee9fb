//! The sessions of this application: begun, followed, shown, ended.

mod attention;
mod course;
mod entry;
mod environment;
mod figures;
mod follow;
mod questions;
mod traffic;
mod volumes;
mod words;

use std::ffi::OsString;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use towline_core::cluster::Cluster;
use towline_core::journal::Journal;
use towline_core::plan::Plan;
use towline_core::report::Code;
use towline_project::Project;

use self::entry::Entry;
use crate::logs::Logs;
use crate::machine::Use;
use crate::program::Command;
use crate::publish::Publish;
use crate::report::failure;
use crate::view::{Change, LaunchRequest, Notice, Report, Session, Tone};

/// Gives the `PATH` in which programs are looked for and that they get; `None`: this process's.
pub type SearchPath = Arc<dyn Fn() -> Option<OsString> + Send + Sync>;

/// How long the end of everything may take before the application quits all the same: a program's 10 seconds, and a rollout.
const QUIT: Duration = Duration::from_secs(90);

/// The sessions. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    shared: Arc<Shared>,
}

struct Shared {
    publish: Arc<dyn Publish>,
    logs: Logs,
    path: SearchPath,
    journal: Journal,
    /// In the order in which they were begun.
    all: Mutex<Vec<Arc<Entry>>>,
}

/// A session that is to be begun.
pub(crate) struct Launch {
    pub(crate) cluster: Cluster,
    pub(crate) plan: Plan,
    pub(crate) form: LaunchRequest,
    /// The target's name without its kind.
    pub(crate) title: String,
    /// What is started once connected.
    pub(crate) command: Option<Command>,
    pub(crate) command_line: String,
    /// The project file that it is made with.
    pub(crate) project: Option<Project>,
    /// Had before anything is changed, where the plan needs it.
    pub(crate) helper: Option<Use>,
}

impl Sessions {
    /// None yet.
    pub fn new(publish: Arc<dyn Publish>, logs: Logs, path: SearchPath, journal: Journal) -> Self {
        let all = Mutex::default();
        Self { shared: Arc::new(Shared { publish, logs, path, journal, all }) }
    }

    /// Begins a session; gives its id.
    pub(crate) fn begin(&self, launch: Launch) -> String {
        let Shared { publish, logs, path, journal, .. } = &*self.shared;
        let log = logs.create(launch.plan.session.as_str());
        let pods = logs.follow_session(&launch.cluster, &launch.plan, log.clone());
        let entry = Arc::new(Entry::begin(launch, log, path.clone(), journal.clone()));
        self.lock().push(entry.clone());
        publish.put(Change::Session { session: Box::new(entry.view()) });
        tokio::spawn(follow::follow(entry.clone(), publish.clone(), pods));
        entry.id.clone()
    }

    /// All of them, ended ones until they are dismissed.
    pub fn list(&self) -> Vec<Session> {
        self.lock().iter().map(|entry| entry.view()).collect()
    }

    /// Whether a session that the cluster knows by that id is one of these, and open.
    pub fn owns(&self, session: &str) -> bool {
        self.lock().iter().any(|entry| entry.is_open() && entry.is_known_as(session))
    }

    /// Those that quitting would stop, as `orders (shop)`.
    pub fn open_titles(&self) -> Vec<String> {
        let all = self.lock();
        let open = all.iter().filter(|entry| entry.is_open() || entry.has_program());
        open.map(|entry| format!("{} ({})", entry.fixed.title, entry.fixed.namespace)).collect()
    }

    /// Ends the program and then restores the workload. Returns at once.
    ///
    /// # Errors
    ///
    /// When there is no such session.
    pub fn stop(&self, id: &str) -> Result<(), Report> {
        let entry = self.find(id)?;
        tokio::spawn(async move { entry.stop().await });
        Ok(())
    }

    /// Connects again after the cluster has restored the workload by itself. Returns at once.
    ///
    /// # Errors
    ///
    /// When there is no such session.
    pub fn reconnect(&self, id: &str) -> Result<(), Report> {
        let core = self.find(id)?.core.clone();
        tokio::spawn(async move { core.reconnect().await });
        Ok(())
    }

    /// Takes a session that has ended off the list, and ends its program if that still runs.
    ///
    /// # Errors
    ///
    /// When there is no such session, or it has not ended.
    pub fn dismiss(&self, id: &str) -> Result<(), Report> {
        let entry = self.find(id)?;
        if entry.is_open() {
            let message = format!("The session {} has not ended.", entry.fixed.title);
            return Err(failure(Code::Input, message, Some("Stop it first.")));
        }
        self.lock().retain(|other| other.id != id);
        entry.dismissed.cancel();
        entry.stop_program();
        self.shared.logs.remove(id);
        self.shared.publish.put(Change::SessionGone { id: id.to_owned() });
        Ok(())
    }

    /// Stops every session and every program, and waits until that is done: at most 90 seconds, after which the cluster restores what is left.
    pub async fn stop_all(&self) {
        let all: Vec<Arc<Entry>> = self.lock().clone();
        let stopped = join_all(all.iter().map(|entry| entry.stop()));
        if tokio::time::timeout(QUIT, stopped).await.is_err() {
            tracing::warn!("not every session was restored in time");
        }
    }

    /// Starts the program.
    ///
    /// # Errors
    ///
    /// When the session is not connected, or the user starts the program.
    pub fn start_program(&self, id: &str) -> Result<(), Report> {
        self.find(id)?.start_program()
    }

    /// Tells the program to end; after 10 seconds it is killed. Returns at once.
    ///
    /// # Errors
    ///
    /// When there is no such session.
    pub fn stop_program(&self, id: &str) -> Result<(), Report> {
        self.find(id)?.stop_program();
        Ok(())
    }

    /// Ends the program, if it runs, and starts it again. Returns at once.
    ///
    /// # Errors
    ///
    /// When the session is not connected, or the user starts the program.
    pub fn restart_program(&self, id: &str) -> Result<(), Report> {
        self.find(id)?.restart_program()
    }

    /// The `PATH` for programs.
    pub(crate) fn search_path(&self) -> Option<OsString> {
        (self.shared.path)()
    }

    /// Tells the user something about a session.
    pub(crate) fn notice(&self, session: &str, tone: Tone, title: &str, message: &str) {
        let (title, message) = (title.to_owned(), message.to_owned());
        let notice = Notice { tone, title, message, session: Some(session.to_owned()) };
        self.shared.publish.put(Change::Notice { notice });
    }

    fn find(&self, id: &str) -> Result<Arc<Entry>, Report> {
        let found = self.lock().iter().find(|entry| entry.id == id).cloned();
        found.ok_or_else(|| failure(Code::Input, "This session is not there any more.", None))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.shared.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
