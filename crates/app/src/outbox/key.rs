//! What a change is about.

use crate::view::{Change, TableKind};

/// The thing whose state a change tells. The order is that of a frame: what a thing belongs to comes before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Everything,
    Preferences,
    Contexts,
    Cluster(String),
    Rows(String, TableKind),
    Session(String),
    Log(String),
    Profiles,
    Leftovers,
    Helper,
}

impl Key {
    /// `None` for what is no state but happens once.
    pub(super) fn of(change: &Change) -> Option<Self> {
        Some(match change {
            Change::Everything { .. } => Self::Everything,
            Change::Contexts { .. } => Self::Contexts,
            Change::Cluster { cluster } => Self::Cluster(cluster.context.clone()),
            Change::ClusterClosed { context } => Self::Cluster(context.clone()),
            Change::Rows { context, table, .. } => Self::Rows(context.clone(), *table),
            Change::Session { session } => Self::Session(session.id.clone()),
            Change::SessionGone { id } => Self::Session(id.clone()),
            Change::Log { log, .. } => Self::Log(log.clone()),
            Change::Profiles { .. } => Self::Profiles,
            Change::Preferences { .. } => Self::Preferences,
            Change::Leftovers { .. } => Self::Leftovers,
            Change::Helper { .. } => Self::Helper,
            Change::Notice { .. } | Change::Navigate { .. } | Change::QuitRequested { .. } => {
                return None;
            }
        })
    }

    pub(super) fn is_rows_of(&self, context: &str) -> bool {
        matches!(self, Self::Rows(of, _) if of == context)
    }
}
