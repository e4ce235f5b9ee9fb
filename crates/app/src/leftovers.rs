//! What sessions have left whose process is gone: as this machine's journal says, and, once a cluster is connected, as that says.

mod follow;
mod found;
mod repair;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::ListParams;
use tokio_util::task::AbortOnDropHandle;
use towline_core::cluster::{Cluster, ClusterError};
use towline_core::journal::{Entry, Journal};
use towline_core::leftovers::{SessionStatus, status};
use towline_core::look::Scope;
use towline_workload::names::{MANAGED_BY, MANAGED_BY_LABEL};

use crate::outbox::Outbox;
use crate::view::{Change, Leftover};

/// The leftovers. Cheap to clone.
#[derive(Clone)]
pub struct Leftovers {
    shared: Arc<Shared>,
}

struct Shared {
    outbox: Outbox,
    journal: Journal,
    known: Mutex<BTreeMap<String, Known>>,
}

/// A leftover, and what is needed to repair it.
#[derive(Clone)]
struct Known {
    leftover: Leftover,
    /// As the journal has it; `None`: only the cluster knows it.
    entry: Option<Entry>,
}

impl Leftovers {
    /// Reads the journal, and removes what sessions that were cut off kept on this machine. Contacts no cluster.
    pub fn read(outbox: Outbox, journal: Journal) -> Self {
        let abandoned = journal.abandoned().unwrap_or_else(|error| {
            tracing::warn!(%error, "leftovers");
            Vec::new()
        });
        let known = abandoned.into_iter().map(|entry| {
            let leftover = found::of_journal(&entry);
            (leftover.id.clone(), Known { leftover, entry: Some(entry) })
        });
        let known = Mutex::new(known.collect());
        Self { shared: Arc::new(Shared { outbox, journal, known }) }
    }

    /// All of them, the oldest first.
    pub fn all(&self) -> Vec<Leftover> {
        let mut all: Vec<Leftover> =
            self.known().values().map(|known| known.leftover.clone()).collect();
        all.sort_by(|a, b| (a.started, &a.id).cmp(&(b.started, &b.id)));
        all
    }

    /// Looks, in the background, what a cluster that is connected knows, and looks again as long as there is a leftover of it, until what this gives
    /// is let go. `namespaces`: empty for all.
    ///
    /// To look at every workload is much in a large cluster, so that is done only where there is a lease of Towline's, or where the journal knows of
    /// a session.
    pub(crate) fn follow(
        &self,
        cluster: Cluster,
        namespaces: Vec<String>,
    ) -> AbortOnDropHandle<()> {
        let this = self.clone();
        AbortOnDropHandle::new(tokio::spawn(async move {
            let scopes: Vec<Scope> = match namespaces.is_empty() {
                true => vec![Scope::All],
                false => namespaces.into_iter().map(Scope::Namespace).collect(),
            };
            this.look(&cluster, &scopes).await;
            this.until_gone(&cluster).await;
        }))
    }

    async fn look(&self, cluster: &Cluster, scopes: &[Scope]) {
        for scope in scopes {
            if let Err(error) = self.look_in(cluster, scope).await {
                // Who may not list leases has no leftovers to repair.
                tracing::debug!(%error, "looking for leftovers");
            }
        }
    }

    async fn look_in(&self, cluster: &Cluster, scope: &Scope) -> Result<(), ClusterError> {
        let of_journal =
            self.known().values().any(|known| known.leftover.context == cluster.context());
        if of_journal || !leases(cluster, scope, Some(1)).await?.is_empty() {
            self.take(cluster.context(), scope, &status(cluster, scope).await?);
        }
        Ok(())
    }

    fn take(&self, context: &str, scope: &Scope, found: &[SessionStatus]) {
        let inside = |leftover: &Leftover| {
            let there = match scope {
                Scope::All => true,
                Scope::Namespace(namespace) => *namespace == leftover.namespace,
            };
            there && leftover.context == context && !leftover.repairing
        };
        let still =
            |id: &str| found.iter().any(|status| status.sessions().iter().any(|of| of == id));
        let done: Vec<Known> = {
            let mut known = self.known();
            let done: Vec<String> = known
                .iter()
                .filter(|(id, known)| inside(&known.leftover) && !still(id))
                .map(|(id, _)| id.clone())
                .collect();
            for (id, leftover) in
                found.iter().filter_map(|status| found::of_cluster(context, status))
            {
                let entry = known.get(&id).and_then(|known| known.entry.clone());
                let repairing = known.get(&id).is_some_and(|known| known.leftover.repairing);
                let leftover = Leftover { repairing, ..leftover };
                known.insert(id, Known { leftover, entry });
            }
            done.iter().filter_map(|id| known.remove(id)).collect()
        };
        // The cluster has restored it by itself, or somebody else has.
        for entry in done.into_iter().filter_map(|known| known.entry) {
            self.settle(&entry);
        }
        self.publish();
    }

    /// Removes what this machine has of a session of which the cluster has nothing.
    fn settle(&self, entry: &Entry) {
        if let Err(error) = self.shared.journal.remove(&entry.session) {
            tracing::warn!(%error, "leftovers");
        }
    }

    fn publish(&self) {
        self.shared.outbox.put(Change::Leftovers { leftovers: self.all() });
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The leases of sessions, at most so many.
async fn leases(
    cluster: &Cluster,
    scope: &Scope,
    most: Option<u32>,
) -> Result<BTreeSet<String>, ClusterError> {
    let ours = format!("{MANAGED_BY_LABEL}={MANAGED_BY}");
    let wanted = ListParams { limit: most, ..ListParams::default().labels(&ours) };
    let leases = scope.api::<Lease>(cluster).list_metadata(&wanted).await;
    let leases = leases.map_err(|error| cluster.explain("look for leases of sessions", error))?;
    Ok(leases.items.into_iter().filter_map(|lease| lease.metadata.uid).collect())
}

impl fmt::Debug for Leftovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leftovers").field("known", &self.known().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
