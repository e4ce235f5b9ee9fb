//! A cluster that the user has picked: opened, watched, and opened again by itself when it comes back.
//!
//! All its tasks are below one future ([`Picked::drive`]); letting the cluster go ends that, and them with it.

mod feed;
mod heartbeat;
mod lean;
mod namespaces;
mod news;
mod scopes;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use towline_core::cluster::{Cluster, ClusterError, Show};
use towline_core::look::Scope;

use self::state::State;
use super::Explorer;
use crate::report::explained;
use crate::view::{self, Change, ClusterPhase, Context, RowsPage, RowsQuery};

/// How much of what a plugin writes is kept.
const KEPT_WORDS: usize = 16 * 1024;

/// A cluster that was picked.
pub(super) struct Picked {
    context: String,
    explorer: Explorer,
    state: Mutex<State>,
    /// What came of opening it; `None`: it is on the way.
    opening: watch::Sender<Option<Option<Cluster>>>,
    /// The namespaces that are watched; `None`: the context's own, once that is known; empty: all of them.
    wanted: watch::Sender<Option<Vec<String>>>,
    /// Moves on when the cluster is back, so that every watch begins anew: the old ones may hang on connections that are dead.
    again: watch::Sender<u64>,
    /// Look now whether the cluster answers.
    poke: Notify,
    /// Something has happened after which nothing is to be tried again.
    failed: Notify,
    stop: CancellationToken,
    /// Held while something is told, so that nothing is told any more once it was let go.
    closed: Mutex<bool>,
}

impl Picked {
    /// Begins to open it.
    pub(super) fn begin(entry: Context, namespaces: Vec<String>, explorer: Explorer) -> Arc<Self> {
        let wanted = (!namespaces.is_empty()).then_some(namespaces);
        let this = Arc::new(Self {
            context: entry.name.clone(),
            explorer,
            state: Mutex::new(State::connecting(entry)),
            opening: watch::Sender::new(None),
            wanted: watch::Sender::new(wanted),
            again: watch::Sender::new(0),
            poke: Notify::new(),
            failed: Notify::new(),
            stop: CancellationToken::new(),
            closed: Mutex::new(false),
        });
        this.publish();
        tokio::spawn({
            let this = this.clone();
            async move {
                let stop = this.stop.clone();
                stop.run_until_cancelled(this.drive()).await;
            }
        });
        this
    }

    /// Ends everything. After this returns nothing is told of it any more.
    pub(super) fn close(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.cancel();
    }

    /// Whether it could not be opened, or is not to be tried again.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.state().phase, ClusterPhase::Failed { .. })
    }

    /// Tries at once whether it answers.
    pub(super) fn look_again(&self) {
        self.poke.notify_one();
    }

    pub(super) fn watch_namespaces(&self, namespaces: Vec<String>) {
        let mut namespaces = namespaces;
        namespaces.sort();
        namespaces.dedup();
        self.wanted.send_replace(Some(namespaces));
        self.publish();
    }

    /// The namespaces that are watched; empty: all of them.
    pub(super) fn namespaces(&self) -> Vec<String> {
        let wanted = self.wanted.borrow().clone();
        wanted.unwrap_or_else(|| self.state().default_namespace.clone().into_iter().collect())
    }

    /// The cluster, when it has been opened; `None`: it could not be.
    pub(super) async fn opened(&self) -> Option<Cluster> {
        let mut opening = self.opening.subscribe();
        tokio::select! {
            // The sender lives as long as `self`.
            opened = opening.wait_for(Option::is_some) => opened.ok()?.clone().flatten(),
            () = self.stop.cancelled() => None,
        }
    }

    /// The cluster, if it is open.
    pub(super) fn now(&self) -> Option<Cluster> {
        self.opening.borrow().clone().flatten()
    }

    pub(super) fn rows(&self, query: &RowsQuery, mine: &dyn Fn(&str) -> bool) -> RowsPage {
        self.state().tables.page(query, mine)
    }

    pub(super) fn view(&self) -> view::Cluster {
        let watched = self.namespaces();
        self.state().view(&self.context, watched)
    }

    async fn drive(self: &Arc<Self>) {
        let show: Show = {
            let this = Arc::downgrade(self);
            Arc::new(move |bytes: &[u8]| {
                if let Some(this) = this.upgrade() {
                    this.said(bytes);
                }
            })
        };
        let cluster = match self.explorer.open(&self.context, Some(show), None).await {
            Ok(cluster) => cluster,
            Err(report) => {
                self.change(|state| state.phase = ClusterPhase::Failed { report });
                self.opening.send_replace(Some(None));
                return;
            }
        };
        self.change(|state| state.open(&cluster));
        self.opening.send_replace(Some(Some(cluster.clone())));
        tokio::select! {
            () = self.beat(&cluster) => {}
            () = self.follow_namespaces(&cluster) => {}
            () = self.follow_scopes(&cluster) => {}
            () = self.failed.notified() => { self.opening.send_replace(Some(None)); }
        }
    }

    /// What the exec plugin writes while it runs.
    fn said(&self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.change(|state| {
            let ClusterPhase::Connecting { said, .. } = &mut state.phase else { return };
            said.push_str(&text);
            if said.len() > KEPT_WORDS {
                let cut = said.ceil_char_boundary(said.len() - KEPT_WORDS);
                said.drain(..cut);
            }
        });
    }

    /// Whether after this error nothing is to be tried again: a login that has run out would open browsers for ever.
    fn fail_for_good(&self, error: &ClusterError) -> bool {
        let for_good = matches!(
            error,
            ClusterError::Unauthorized { .. }
                | ClusterError::PluginMissing { .. }
                | ClusterError::PluginFailed { .. }
        );
        if for_good {
            let report = explained(error);
            self.change(|state| {
                state.stale(now(), &report);
                state.phase = ClusterPhase::Failed { report };
            });
            self.failed.notify_one();
        }
        for_good
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.publish();
    }

    fn publish(&self) {
        self.put(Change::Cluster { cluster: Box::new(self.view()) });
    }

    fn put(&self, change: Change) {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if !*closed {
            self.explorer.shared.outbox.put(change);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn scopes(&self) -> Vec<Scope> {
        let namespaces = self.namespaces();
        if namespaces.is_empty() {
            return vec![Scope::All];
        }
        namespaces.into_iter().map(Scope::Namespace).collect()
    }
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}
