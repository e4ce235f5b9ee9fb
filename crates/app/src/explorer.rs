//! What there is to redirect: contexts, and, of the clusters that the user has picked, tables of rows that follow the cluster.
//!
//! No cluster is contacted and no exec plugin run before [`Explorer::connect`].

mod cluster;
mod contexts;
mod tables;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use towline_core::cluster::{Ask, Cluster, Options, Show};
use towline_core::report::Code;

use self::cluster::Picked;
pub use self::contexts::Contexts;
use crate::clusters::Clusters;
use crate::leftovers::Leftovers;
use crate::outbox::Outbox;
use crate::report::{explained, failure};
use crate::shell_path::SearchPath;
use crate::view::{self, Change, Report, RowsPage, RowsQuery};

/// Tells whether a session is one of this application's.
type Mine = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// The clusters that the user has picked. Cheap to clone.
#[derive(Clone)]
pub struct Explorer {
    shared: Arc<Shared>,
}

struct Shared {
    outbox: Outbox,
    contexts: Contexts,
    search_path: SearchPath,
    leftovers: Leftovers,
    mine: OnceLock<Mine>,
    picked: Mutex<BTreeMap<String, Arc<Picked>>>,
}

impl Explorer {
    /// One that has picked nothing.
    pub fn new(
        outbox: Outbox,
        contexts: Contexts,
        search_path: SearchPath,
        leftovers: Leftovers,
    ) -> Self {
        let shared = Shared {
            outbox,
            contexts,
            search_path,
            leftovers,
            mine: OnceLock::new(),
            picked: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Lets rows tell this application's sessions from those of others. Only the first call counts.
    pub fn recognise(&self, mine: impl Fn(&str) -> bool + Send + Sync + 'static) {
        let _ = self.shared.mine.set(Box::new(mine));
    }

    /// Opens the cluster of a context and begins to watch `namespaces` (empty: the context's own). Returns at once.
    ///
    /// A cluster that is open already goes on, with these namespaces if some are named; one that has failed is opened anew; one that is
    /// unreachable is tried at once.
    ///
    /// # Errors
    /// When no kubeconfig has such a context.
    pub fn connect(&self, context: &str, namespaces: Vec<String>) -> Result<(), Report> {
        let Some(entry) = self.shared.contexts.find(context) else {
            return Err(self.shared.contexts.unknown(context));
        };
        let mut picked = self.picked();
        if let Some(known) = picked.get(context).filter(|known| !known.has_failed()) {
            if !namespaces.is_empty() {
                known.watch_namespaces(namespaces);
            }
            known.look_again();
            return Ok(());
        }
        let cluster = Picked::begin(entry, namespaces, self.clone());
        if let Some(failed) = picked.insert(context.to_owned(), cluster) {
            failed.close();
        }
        Ok(())
    }

    /// Lets a cluster go.
    pub fn disconnect(&self, context: &str) {
        let picked = self.picked().remove(context);
        if let Some(picked) = picked {
            picked.close();
            self.shared.outbox.put(Change::ClusterClosed { context: context.to_owned() });
        }
    }

    /// Lets all go.
    pub fn close(&self) {
        let all = std::mem::take(&mut *self.picked());
        for (context, picked) in all {
            picked.close();
            self.shared.outbox.put(Change::ClusterClosed { context });
        }
    }

    /// Chooses the namespaces that are watched; empty: all of them.
    ///
    /// # Errors
    /// When the cluster is not picked.
    pub fn watch_namespaces(&self, context: &str, namespaces: Vec<String>) -> Result<(), Report> {
        self.get(context)?.watch_namespaces(namespaces);
        Ok(())
    }

    /// A part of a table.
    ///
    /// # Errors
    /// When the cluster is not picked.
    pub fn rows(&self, query: &RowsQuery) -> Result<RowsPage, Report> {
        let picked = self.get(&query.context)?;
        let mine = |session: &str| self.shared.mine.get().is_some_and(|mine| mine(session));
        Ok(picked.rows(query, &mine))
    }

    /// The picked clusters, by context.
    pub fn clusters(&self) -> Vec<view::Cluster> {
        let picked: Vec<Arc<Picked>> = self.picked().values().cloned().collect();
        picked.iter().map(|picked| picked.view()).collect()
    }

    /// The clusters that are open, with the namespaces that are watched (empty: all of them).
    pub(crate) fn opened(&self) -> Vec<(Cluster, Vec<String>)> {
        let picked: Vec<Arc<Picked>> = self.picked().values().cloned().collect();
        picked.iter().filter_map(|picked| Some((picked.now()?, picked.namespaces()))).collect()
    }

    /// Opens a cluster, without watching anything.
    pub(crate) async fn open(
        &self,
        context: &str,
        show: Option<Show>,
        kubeconfig: Option<std::path::PathBuf>,
    ) -> Result<Cluster, Report> {
        let shared = &self.shared;
        let options = Options {
            context: Some(context.to_owned()),
            kubeconfig,
            files: shared.contexts.listed_files(),
            path: shared.search_path.get().await,
            ask: Ask::Nobody,
            show,
        };
        Cluster::open(options).await.map_err(|error| explained(&error))
    }

    fn get(&self, context: &str) -> Result<Arc<Picked>, Report> {
        self.picked().get(context).cloned().ok_or_else(|| {
            let message = format!("The cluster '{context}' is not connected.");
            failure(Code::Input, message, Some("Connect it first."))
        })
    }

    fn picked(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Picked>>> {
        self.shared.picked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clusters for Explorer {
    fn cluster(&self, context: &str) -> BoxFuture<'static, Result<Cluster, Report>> {
        let (this, context) = (self.clone(), context.to_owned());
        async move {
            let picked = this.picked().get(&context).cloned();
            if let Some(picked) = picked
                && let Some(cluster) = picked.opened().await
            {
                return Ok(cluster);
            }
            this.open(&context, None, None).await
        }
        .boxed()
    }
}

impl fmt::Debug for Explorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let picked: Vec<String> = self.picked().keys().cloned().collect();
        f.debug_struct("Explorer").field("picked", &picked).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
