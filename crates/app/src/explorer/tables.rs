//! What is known of a cluster's objects, as far as rows show it: no more is kept of an object than that, so that 5,000 pods stay small.
//!
//! Objects come from feeds (one for each kind and scope); rows are made when a page is asked for.

mod changes;
mod entries;
mod feeds;
mod pool;
mod query;
mod render;
mod tally;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::{DynamicObject, ObjectMeta};
use towline_workload::Kind;

use self::entries::{Name, PodEntry, ServiceEntry, WorkloadEntry};
use self::feeds::Feeds;
pub(super) use self::feeds::{Feed, FeedState, Resource};
use self::pool::Pool;
use crate::view::{Report, RowsPage, RowsQuery, Table, TableKind};

/// The tables of one cluster.
#[derive(Default)]
pub(super) struct Tables {
    services: BTreeMap<Name, ServiceEntry>,
    workloads: BTreeMap<(Name, Kind), WorkloadEntry>,
    pods: BTreeMap<Name, PodEntry>,
    /// What controls the ReplicaSets that something controls, as `deployment/orders`.
    sets: BTreeMap<Name, (Arc<str>, u32)>,
    /// What those above share.
    pool: Pool,
    feeds: Feeds,
    revisions: Revisions,
}

/// An object as a feed brings it.
pub(super) enum Object {
    Service(Box<Service>),
    Workload(Kind, Box<DynamicObject>),
    Pod(Box<Pod>),
}

/// What a feed brings.
pub(super) enum News {
    /// A list begins.
    Listing,
    /// An object of a list.
    Listed(Object),
    /// The list is complete: what was not in it is gone.
    Complete,
    /// An object was made or changed.
    Changed(Object),
    /// An object was deleted.
    Deleted(Object),
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Revisions {
    services: u32,
    workloads: u32,
    pods: u32,
}

impl Revisions {
    fn of(&mut self, table: TableKind) -> &mut u32 {
        match table {
            TableKind::Services => &mut self.services,
            TableKind::Workloads => &mut self.workloads,
            TableKind::Pods => &mut self.pods,
        }
    }
}

impl Object {
    fn meta(&self) -> &ObjectMeta {
        match self {
            Self::Service(service) => &service.metadata,
            Self::Workload(_, object) => &object.metadata,
            Self::Pod(pod) => &pod.metadata,
        }
    }
}

/// Every table, in the order in which the window shows them.
pub(super) const ALL: [TableKind; 3] = [TableKind::Services, TableKind::Workloads, TableKind::Pods];

impl Tables {
    /// Takes what a feed brings.
    pub(super) fn take(&mut self, feed: &Feed, news: News) {
        match news {
            News::Listing => self.feeds.begin(feed),
            News::Listed(object) | News::Changed(object) => {
                let generation = self.feeds.generation(feed);
                self.put(object, generation);
            }
            News::Deleted(object) => self.remove(&object),
            News::Complete => {
                let generation = self.feeds.generation(feed);
                self.sweep(feed, Some(generation));
                self.feeds.set(feed, FeedState::Live);
            }
        }
    }

    /// Says how a feed is.
    pub(super) fn set(&mut self, feed: &Feed, state: FeedState) {
        self.feeds.set(feed, state);
    }

    /// Says that no feed is current, but for those that are forbidden.
    pub(super) fn stale(&mut self, since: i64, report: &Report) {
        self.feeds.stale(since, report);
    }

    /// Ends a feed, and forgets what it has brought.
    pub(super) fn end(&mut self, feed: &Feed) {
        self.feeds.end(feed);
        self.sweep(feed, None);
    }

    /// The tables' states.
    pub(super) fn states(&self) -> Vec<Table> {
        let mut revisions = self.revisions;
        let table = |table: TableKind| Table {
            table,
            revision: *revisions.of(table),
            total: count(self.total(table)),
            state: self.feeds.table(table),
        };
        ALL.map(table).to_vec()
    }

    /// The revision of each table.
    pub(super) fn revisions(&self) -> [u32; 3] {
        let Revisions { services, workloads, pods } = self.revisions;
        [services, workloads, pods]
    }

    /// A part of a table. `mine` tells the sessions of this application from others'.
    pub(super) fn page(&self, query: &RowsQuery, mine: &dyn Fn(&str) -> bool) -> RowsPage {
        query::page(self, query, mine)
    }

    fn total(&self, table: TableKind) -> usize {
        match table {
            TableKind::Services => self.services.len(),
            TableKind::Workloads => self.workloads.len(),
            TableKind::Pods => self.pods.len(),
        }
    }

    fn touch(&mut self, table: TableKind) {
        let revision = self.revisions.of(table);
        *revision = revision.wrapping_add(1);
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
