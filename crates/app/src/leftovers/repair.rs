//! Putting back what a leftover session changed.

use std::time::Duration;

use towline_core::cluster::Cluster;
use towline_core::leftovers::{SessionStatus, Which, restore, status};
use towline_core::look::Scope;
use towline_core::report::Code;
use towline_core::request::{Target, TargetKind};
use towline_workload::Kind;

use super::{Known, Leftovers};
use crate::clusters::Clusters;
use crate::explorer::Explorer;
use crate::report::{explained, failure};
use crate::view::{Repaired, Report, Tone};

/// How long the workload may take to come into service again.
const LIMIT: Duration = Duration::from_secs(120);

impl Leftovers {
    /// Restores what the session has changed, and forgets it. Opens its cluster: the user asked for that.
    ///
    /// # Errors
    /// When there is no such leftover, its cluster cannot be opened, or the workload cannot be put back. The leftover stays.
    pub async fn repair(&self, id: &str, explorer: &Explorer) -> Result<Repaired, Report> {
        let known = self.begin(id)?;
        let done = self.put_back(id, &known, explorer).await;
        {
            let mut all = self.known();
            match &done {
                Ok(_) => drop(all.remove(id)),
                Err(_) => {
                    if let Some(known) = all.get_mut(id) {
                        known.leftover.repairing = false;
                    }
                }
            }
        }
        if let (Ok(_), Some(entry)) = (&done, &known.entry) {
            self.settle(entry);
        }
        self.publish();
        done
    }

    fn begin(&self, id: &str) -> Result<Known, Report> {
        let known = {
            let mut all = self.known();
            let Some(known) = all.get_mut(id) else {
                let message = format!("There is no leftover of a session {id} any more.");
                return Err(failure(Code::Input, message, None));
            };
            if known.leftover.repairing {
                return Err(failure(Code::Busy, "It is being repaired already.", None));
            }
            known.leftover.repairing = true;
            known.clone()
        };
        self.publish();
        Ok(known)
    }

    async fn put_back(
        &self,
        id: &str,
        known: &Known,
        explorer: &Explorer,
    ) -> Result<Repaired, Report> {
        let cluster = open(known, explorer).await?;
        let namespace = known.leftover.namespace.clone();
        let found = status(&cluster, &Scope::Namespace(namespace.clone())).await;
        let found = found.map_err(|error| explained(&error))?;
        let Some(session) = found.into_iter().find(|status| is_left_by(status, id)) else {
            return Ok(Repaired {
                tone: Tone::Good,
                message: format!("Nothing of it is left on {}.", known.leftover.workload),
            });
        };
        let target =
            Target { kind: Some(kind(session.workload.kind)), name: session.workload.name.clone() };
        let which = Which::Target { target, namespace };
        let results = restore(&cluster, &which, LIMIT, &mut |workload, step| {
            tracing::info!(%workload, ?step, "repairing");
        })
        .await
        .map_err(|error| explained(&error))?;
        repaired(&results)
    }
}

fn kind(kind: Kind) -> TargetKind {
    match kind {
        Kind::Deployment => TargetKind::Deployment,
        Kind::StatefulSet => TargetKind::StatefulSet,
        Kind::DaemonSet => TargetKind::DaemonSet,
        Kind::ReplicaSet => TargetKind::ReplicaSet,
        Kind::Pod => TargetKind::Pod,
    }
}

/// Where the journal names a kubeconfig, that is the one: a context of the same name may stand in another.
async fn open(known: &Known, explorer: &Explorer) -> Result<Cluster, Report> {
    let context = &known.leftover.context;
    match known.entry.as_ref().and_then(|entry| entry.kubeconfig.clone()) {
        Some(kubeconfig) => explorer.open(context, None, Some(kubeconfig)).await,
        None => explorer.cluster(context).await,
    }
}

/// Whether it is this session that has left something there, and no other one has taken the workload meanwhile: that would be ended.
fn is_left_by(status: &SessionStatus, id: &str) -> bool {
    let others = status.lease.as_ref().is_some_and(|lease| !lease.lapsed && lease.holder != id);
    !others && status.sessions().iter().any(|session| session == id)
}

fn repaired(results: &[towline_core::leftovers::RestoreResult]) -> Result<Repaired, Report> {
    use towline_core::leftovers::Became;
    for result in results {
        if let Became::Failed { error } = &result.became {
            return Err(error.clone().into());
        }
    }
    let fine = results.iter().all(|result| result.is_fine());
    let sentences = results.iter().map(|result| {
        let rest = result.not_in_service.iter().chain(&result.left);
        rest.fold(result.sentence(), |text, more| format!("{text} But: {more}."))
    });
    let message = sentences.collect::<Vec<_>>().join(" ");
    Ok(Repaired { tone: if fine { Tone::Good } else { Tone::Warning }, message })
}
