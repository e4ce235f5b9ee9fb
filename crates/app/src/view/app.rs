//! The whole, frames, errors.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Cluster, Contexts, HelperState, Leftover, Preferences, Profile, Session, TableKind};

/// All that the window knows without asking for pages. The first frame carries it, and every frame after a gap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct App {
    /// Such as `0.1.0`.
    pub version: String,
    /// `linux`, `macos` or `windows`.
    pub platform: String,
    /// The user, as others see it on a session.
    pub user: String,
    /// This machine's name, as others see it on a session.
    pub host: String,
    /// The kubeconfigs' contexts.
    pub contexts: Contexts,
    /// The clusters that the user has picked since the start.
    pub clusters: Vec<Cluster>,
    /// The sessions of this application: open ones, and ended ones until they are dismissed.
    pub sessions: Vec<Session>,
    /// The remembered profiles, the last used first.
    pub profiles: Vec<Profile>,
    /// The settings.
    pub preferences: Preferences,
    /// What earlier runs, which did not end well, have left.
    pub leftovers: Vec<Leftover>,
    /// The process with administrator rights.
    pub helper: HelperState,
}

/// What has changed. The numbers start at 1 and have no gaps for one subscriber; after a gap the window subscribes again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    /// The number.
    pub seq: u32,
    /// When it was made.
    #[ts(type = "number")]
    pub time: i64,
    /// The changes, each thing at most once, in its newest state.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Change {
    /// Everything, anew.
    Everything {
        /// The whole state.
        app: Box<App>,
    },
    /// The contexts.
    Contexts {
        /// All of them.
        contexts: Contexts,
    },
    /// A cluster that was picked: its state, its namespaces, its tables' states.
    Cluster {
        /// It.
        cluster: Box<Cluster>,
    },
    /// A cluster was let go.
    ClusterClosed {
        /// Its context.
        context: String,
    },
    /// A table's rows have changed: the page that is shown is to be asked for again.
    Rows {
        /// The context.
        context: String,
        /// The table.
        table: TableKind,
        /// The new revision.
        revision: u32,
    },
    /// A session's state or figures.
    Session {
        /// It.
        session: Box<Session>,
    },
    /// An ended session was dismissed.
    SessionGone {
        /// Its id.
        id: String,
    },
    /// A log has new lines, or lost old ones.
    Log {
        /// The log: a session's id, or what `open_pod_log` gave.
        log: String,
        /// The number of the next line, which is also how many there were so far.
        #[ts(type = "number")]
        next: u64,
    },
    /// The profiles.
    Profiles {
        /// All of them.
        profiles: Vec<Profile>,
    },
    /// The settings.
    Preferences {
        /// All of them.
        preferences: Preferences,
    },
    /// The leftovers.
    Leftovers {
        /// All of them.
        leftovers: Vec<Leftover>,
    },
    /// The process with administrator rights.
    Helper {
        /// How it stands.
        helper: HelperState,
    },
    /// Something happened that the user should see once, in a corner.
    Notice {
        /// It.
        notice: Notice,
    },
    /// The system (the tray, a second start, a clicked notification) asks the window to go somewhere.
    Navigate {
        /// Where.
        to: Place,
    },
    /// The user wants to quit while sessions are open: ask, and answer with `quit`.
    QuitRequested {
        /// The sessions that quitting would stop, as `orders (shop)`.
        stops: Vec<String>,
    },
}

/// A message in a corner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// How bad it is.
    pub tone: Tone,
    /// Three or four words.
    pub title: String,
    /// The sentence.
    pub message: String,
    /// The session that it is about.
    pub session: Option<String>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Tone {
    /// Nothing special.
    Neutral,
    /// All is well.
    Good,
    /// Worth a look.
    Warning,
    /// Needs the user.
    Bad,
}

/// A place in the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "place", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Place {
    /// The list of clusters.
    Clusters,
    /// A session.
    Session {
        /// Its id.
        id: String,
    },
    /// The launcher, filled from a profile.
    Profile {
        /// Its id.
        id: String,
    },
    /// Diagnostics.
    Diagnostics,
    /// Settings.
    Settings,
}

/// An error as the user meets it. The window decides by `code`, never by text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The core's code in snake case, such as `forbidden`, `unreachable`, `exec_plugin`, `busy`, `local_port_taken`; `internal` for a fault of Towline.
    pub code: String,
    /// What was being done, to what, and why it failed.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Causes, output of plugins, events of pods; several lines.
    pub detail: Option<String>,
}
