//! How the feeds of a cluster are, and what that makes of its tables.

use std::collections::BTreeMap;

use towline_core::look::Scope;
use towline_workload::Kind;

use crate::view::{Report, TableKind, TableState};

/// A kind that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::explorer) enum Resource {
    Services,
    /// Never pods: those have a feed of their own.
    Workloads(Kind),
    Pods,
}

impl Resource {
    /// Every kind that is watched.
    pub(in crate::explorer) const ALL: [Self; 6] = [
        Self::Services,
        Self::Pods,
        Self::Workloads(Kind::Deployment),
        Self::Workloads(Kind::StatefulSet),
        Self::Workloads(Kind::DaemonSet),
        Self::Workloads(Kind::ReplicaSet),
    ];

    /// In the plural, as roles name it.
    pub(in crate::explorer) fn plural(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Pods => "pods",
            Self::Workloads(kind) => kind.plural(),
        }
    }

    fn feeds(self, table: TableKind) -> bool {
        match table {
            TableKind::Services => self == Self::Services,
            TableKind::Pods => self == Self::Pods,
            // The pods that nothing controls are workloads.
            TableKind::Workloads => self != Self::Services,
        }
    }
}

/// One watch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::explorer) struct Feed {
    pub(in crate::explorer) resource: Resource,
    pub(in crate::explorer) scope: Scope,
}

/// How a watch is.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explorer) enum FeedState {
    /// The first list is on the way.
    Loading,
    /// It has listed and watches.
    Live,
    /// It is broken.
    Stale {
        /// Since when, in milliseconds since 1970.
        since: i64,
        /// Why.
        report: Report,
    },
    /// The right is missing.
    Forbidden {
        /// Which.
        report: Report,
    },
}

#[derive(Default)]
pub(super) struct Feeds {
    feeds: BTreeMap<Feed, (FeedState, u32)>,
    listings: u32,
}

impl Feeds {
    /// A list begins: what it brings can be told from what was there.
    pub(super) fn begin(&mut self, feed: &Feed) {
        self.listings = self.listings.wrapping_add(1);
        let listings = self.listings;
        let known = self.feeds.entry(feed.clone()).or_insert((FeedState::Loading, 0));
        known.1 = listings;
    }

    pub(super) fn generation(&self, feed: &Feed) -> u32 {
        self.feeds.get(feed).map_or(0, |(_, generation)| *generation)
    }

    pub(super) fn set(&mut self, feed: &Feed, state: FeedState) {
        let known = self.feeds.entry(feed.clone()).or_insert((FeedState::Loading, 0));
        // It is broken since the first failure, not since the last.
        known.0 = match (&known.0, state) {
            (FeedState::Stale { since, .. }, FeedState::Stale { report, .. }) => {
                FeedState::Stale { since: *since, report }
            }
            (_, state) => state,
        };
    }

    pub(super) fn stale(&mut self, since: i64, report: &Report) {
        let feeds: Vec<Feed> = self.feeds.keys().cloned().collect();
        for feed in feeds {
            if !matches!(self.feeds[&feed].0, FeedState::Forbidden { .. }) {
                self.set(&feed, FeedState::Stale { since, report: report.clone() });
            }
        }
    }

    pub(super) fn end(&mut self, feed: &Feed) {
        self.feeds.remove(feed);
    }

    /// The worst of a table's feeds; that something is missing for good counts less than that something is on the way.
    pub(super) fn table(&self, table: TableKind) -> TableState {
        let states = || {
            let own = self.feeds.iter().filter(|(feed, _)| feed.resource.feeds(table));
            own.map(|(_, (state, _))| state)
        };
        let stale = states().filter_map(|state| match state {
            FeedState::Stale { since, report } => Some((*since, report)),
            _ => None,
        });
        if let Some((since, report)) = stale.min_by_key(|(since, _)| *since) {
            return TableState::Stale { since, report: report.clone() };
        }
        let loading =
            states().next().is_none() || states().any(|state| *state == FeedState::Loading);
        if loading {
            return TableState::Loading;
        }
        let forbidden = states().find_map(|state| match state {
            FeedState::Forbidden { report } => Some(report.clone()),
            _ => None,
        });
        forbidden.map_or(TableState::Live, |report| TableState::Forbidden { report })
    }
}
