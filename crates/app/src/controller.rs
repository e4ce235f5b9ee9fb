//! The one owner of all that the window shows and does. Each method of the window's `Backend` is a method here, of the same name.
//!
//! What needs the system's windows (dialogs, clipboard, file manager) belongs to the shell; here are the texts and files for it.

mod clusters;
mod diagnosis;
mod launching;
mod logs;
mod sessions;
mod settings;

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use towline_core::plan::Identity;

use crate::diagnosis::{Diagnosis, LogHandle};
use crate::directories::Directories;
use crate::explorer::{Contexts, Explorer};
use crate::launch::Launcher;
use crate::leftovers::Leftovers;
use crate::logs::Logs;
use crate::machine::Machine;
use crate::outbox::{FrameStream, Outbox};
use crate::preferences::Preferences;
use crate::profiles::Profiles;
use crate::sessions::Sessions;
use crate::shell_path::{LoginShell, SearchPath};
use crate::view::{App, Change, Notice, Place};

/// What a controller is made with.
#[derive(Debug)]
pub struct Options {
    /// Where things are kept.
    pub directories: Directories,
    /// Where exec plugins and programs are looked for, besides the login shell's `PATH`; `None`: this process's `PATH`.
    pub path: Option<OsString>,
    /// Whether the login shell is asked for its `PATH`: that of a process which the desktop has started is shorter.
    pub login_shell: LoginShell,
    /// The log files, as [`crate::init_logging`] gives them.
    pub logging: Option<LogHandle>,
}

/// The application without its window. Cheap to clone.
#[derive(Clone)]
pub struct Controller {
    parts: Arc<Parts>,
}

struct Parts {
    directories: Directories,
    outbox: Outbox,
    contexts: Contexts,
    explorer: Explorer,
    preferences: Preferences,
    profiles: Profiles,
    logs: Logs,
    sessions: Sessions,
    machine: Machine,
    launcher: Launcher,
    leftovers: Leftovers,
    diagnosis: Diagnosis,
}

impl Controller {
    /// Reads settings, profiles, kubeconfigs and the journal. Contacts no cluster and runs no exec plugin; the login shell is asked in the
    /// background.
    ///
    /// Needs to be called within a tokio runtime.
    pub fn new(options: Options) -> Self {
        let Options { directories, path, login_shell, logging } = options;
        let outbox = Outbox::new();
        let publish = Arc::new(outbox.clone());
        let search_path = SearchPath::begin(path, login_shell);
        let preferences = Preferences::open(
            publish.clone(),
            Some(directories.settings_file()),
            directories.logs.clone(),
        );
        let profiles = Profiles::open(publish.clone(), Some(directories.profiles_file()));
        let contexts = Contexts::watch(outbox.clone(), preferences.subscribe());
        let leftovers = Leftovers::read(outbox.clone(), directories.journal());
        let explorer =
            Explorer::new(outbox.clone(), contexts.clone(), search_path.clone(), leftovers.clone());
        let clusters = Arc::new(explorer.clone());
        let logs = Logs::new(publish.clone(), clusters.clone());
        let machine = Machine::new(publish.clone());
        let sessions =
            Sessions::new(publish, logs.clone(), search_path.as_function(), directories.journal());
        explorer.recognise({
            let sessions = sessions.clone();
            move |session| sessions.owns(session)
        });
        let launcher = Launcher::new(
            clusters,
            preferences.clone(),
            profiles.clone(),
            sessions.clone(),
            machine.clone(),
        );
        let diagnosis = Diagnosis::new(
            directories.clone(),
            contexts.clone(),
            explorer.clone(),
            search_path,
            leftovers.clone(),
        );
        if let Some(logging) = logging {
            logging.follow(preferences.subscribe());
        }
        let parts = Parts {
            directories,
            outbox,
            contexts,
            explorer,
            preferences,
            profiles,
            logs,
            sessions,
            machine,
            launcher,
            leftovers,
            diagnosis,
        };
        Self { parts: Arc::new(parts) }
    }

    /// Begins the frames; the first holds everything. The earlier subscription ends.
    pub fn subscribe(&self) -> FrameStream {
        let controller = self.clone();
        self.parts.outbox.subscribe(move || controller.app())
    }

    /// The whole state.
    pub fn app(&self) -> App {
        let parts = &self.parts;
        let Identity { user, host } = Identity::of_this_process();
        App {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            platform: std::env::consts::OS.to_owned(),
            user,
            host,
            contexts: parts.contexts.current(),
            clusters: parts.explorer.clusters(),
            sessions: parts.sessions.list(),
            profiles: parts.profiles.all(),
            preferences: parts.preferences.current(),
            leftovers: parts.leftovers.all(),
            helper: parts.machine.helper_state(),
        }
    }

    /// Moves on with every change of anything, for a tray that draws the whole state.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.parts.outbox.changed()
    }

    /// Shows a message in a corner of the window.
    pub fn notice(&self, notice: Notice) {
        self.parts.outbox.put(Change::Notice { notice });
    }

    /// Asks the window to go somewhere.
    pub fn navigate(&self, to: Place) {
        self.parts.outbox.put(Change::Navigate { to });
    }

    /// The user wants to quit. `false`: nothing is open, so there is nothing to ask; `true`: the window asks, and answers with [`Self::quit`].
    pub fn request_quit(&self) -> bool {
        let stops = self.parts.sessions.open_titles();
        let asks = !stops.is_empty();
        if asks {
            self.parts.outbox.put(Change::QuitRequested { stops });
        }
        asks
    }

    /// Stops every session and its program, and lets every cluster go. The process may end when this has resolved.
    pub async fn quit(&self) {
        self.parts.sessions.stop_all().await;
        self.parts.explorer.close();
    }
}

// The watches of clusters hold the explorer, and so themselves: who is the last to go ends them.
impl Drop for Parts {
    fn drop(&mut self) {
        self.explorer.close();
    }
}

impl fmt::Debug for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller").finish_non_exhaustive()
    }
}
