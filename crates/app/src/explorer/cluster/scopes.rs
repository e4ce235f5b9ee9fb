//! One set of watches for each namespace that the user wants to see.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use towline_core::cluster::Cluster;
use towline_core::look::Scope;

use super::Picked;
use crate::explorer::tables::{Feed, FeedState, Resource};

/// How long pods and workloads wait for the services at most: an answer that does not come is not to hold up those that would.
const HEAD_START: Duration = Duration::from_secs(1);

impl Picked {
    /// Watches what the user wants to see, for ever.
    pub(super) async fn follow_scopes(self: &std::sync::Arc<Self>, cluster: &Cluster) {
        let mut wanted = self.wanted.subscribe();
        let mut watched: BTreeMap<Scope, JoinSet<()>> = BTreeMap::new();
        loop {
            wanted.mark_unchanged();
            let scopes = self.scopes();
            let gone: Vec<Scope> =
                watched.keys().filter(|scope| !scopes.contains(scope)).cloned().collect();
            for scope in gone {
                if let Some(mut feeds) = watched.remove(&scope) {
                    feeds.shutdown().await;
                }
                self.forget(&scope);
            }
            for scope in scopes {
                watched.entry(scope).or_insert_with_key(|scope| self.begin_feeds(cluster, scope));
            }
            let leftovers = &self.explorer.shared.leftovers;
            let _followed = leftovers.follow(cluster.clone(), self.namespaces());
            // The sender lives as long as `self`.
            let _ = wanted.changed().await;
        }
    }

    /// Services come first, because the window shows them first: beside thousands of pods their few rows would take as long as the pods.
    fn begin_feeds(self: &std::sync::Arc<Self>, cluster: &Cluster, scope: &Scope) -> JoinSet<()> {
        let mut feeds = JoinSet::new();
        let services_told = CancellationToken::new();
        for resource in Resource::ALL {
            let feed = Feed { resource, scope: scope.clone() };
            self.change_tables(|tables| tables.set(&feed, FeedState::Loading));
            let (this, cluster, services_told) =
                (self.clone(), cluster.clone(), services_told.clone());
            feeds.spawn(async move {
                if resource != Resource::Services {
                    let _ = tokio::time::timeout(HEAD_START, services_told.cancelled()).await;
                }
                this.follow(&cluster, &feed, &services_told).await;
            });
        }
        feeds
    }

    fn forget(&self, scope: &Scope) {
        self.change_tables(|tables| {
            for resource in Resource::ALL {
                tables.end(&Feed { resource, scope: scope.clone() });
            }
        });
    }
}
