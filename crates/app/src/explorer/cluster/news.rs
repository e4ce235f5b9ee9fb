//! What the feeds bring, told to the window.

use towline_core::cluster::ClusterError;

use super::{Picked, now};
use crate::explorer::tables::{self, Feed, FeedState, News};
use crate::report::explained;
use crate::view::{self, Change};

impl Picked {
    /// Takes what a feed brings, and tells of it.
    pub(super) fn take(&self, feed: &Feed, news: impl IntoIterator<Item = News>) {
        let (rows, cluster) = {
            let mut state = self.state();
            let before = (state.tables.revisions(), state.tables.states());
            for news in news {
                state.tables.take(feed, news);
            }
            state.heard = Some(now());
            let moved = moved(before.0, state.tables.revisions());
            (moved, differ(&before.1, &state.tables.states()))
        };
        self.tell(&rows, cluster);
    }

    /// Changes the tables in another way, and tells of it.
    pub(super) fn change_tables(&self, change: impl FnOnce(&mut tables::Tables)) {
        let (rows, cluster) = {
            let mut state = self.state();
            let before = (state.tables.revisions(), state.tables.states());
            change(&mut state.tables);
            let moved = moved(before.0, state.tables.revisions());
            (moved, differ(&before.1, &state.tables.states()))
        };
        self.tell(&rows, cluster);
    }

    fn tell(&self, rows: &[(view::TableKind, u32)], cluster: bool) {
        for (table, revision) in rows {
            let (context, table, revision) = (self.context.clone(), *table, *revision);
            self.put(Change::Rows { context, table, revision });
        }
        if cluster {
            self.publish();
        }
    }

    /// A request failed: what that means for the feed it was for, and for the cluster.
    pub(super) fn broken(&self, feed: &Feed, error: &ClusterError) {
        let report = explained(error);
        match error {
            ClusterError::Forbidden { .. } => {
                self.change_tables(|tables| tables.set(feed, FeedState::Forbidden { report }));
            }
            error => {
                let (since, report) = (now(), report);
                self.change_tables(|tables| tables.set(feed, FeedState::Stale { since, report }));
                if !self.fail_for_good(error) {
                    self.look_again();
                }
            }
        }
    }
}

fn moved(before: [u32; 3], after: [u32; 3]) -> Vec<(view::TableKind, u32)> {
    let both = tables::ALL.into_iter().zip(before.into_iter().zip(after));
    both.filter(|(_, (before, after))| before != after)
        .map(|(table, (_, after))| (table, after))
        .collect()
}

/// Whether more than revisions has changed.
fn differ(before: &[view::Table], after: &[view::Table]) -> bool {
    let same = |(a, b): (&view::Table, &view::Table)| a.total == b.total && a.state == b.state;
    !before.iter().zip(after).all(same)
}
