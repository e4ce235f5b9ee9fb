//! Whether the API server answers. Watches are silent for minutes when nothing happens, so they do not tell.

use std::time::Duration;

use towline_core::cluster::{Cluster, ClusterError};

use super::{Picked, now};
use crate::report::explained;
use crate::view::ClusterPhase;

/// How often an API server is asked that answers. With [`LIMIT`], a loss is noticed within 15 s.
const INTERVAL: Duration = Duration::from_secs(10);

/// How often one is asked that does not.
const RETRY: Duration = Duration::from_secs(2);

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(5);

/// The shortest time between two questions, however many watches break at once.
const PAUSE: Duration = Duration::from_millis(500);

impl Picked {
    /// Asks the API server now and then, for ever.
    pub(super) async fn beat(&self, cluster: &Cluster) {
        loop {
            let wait = if self.is_unreachable() { RETRY } else { INTERVAL };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.poke.notified() => {}
            }
            match ask(cluster).await {
                Ok(()) => self.heard(),
                Err(error) if self.fail_for_good(&error) => {}
                Err(error) => self.unreachable(&error),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn is_unreachable(&self) -> bool {
        matches!(self.state().phase, ClusterPhase::Unreachable { .. })
    }

    fn heard(&self) {
        let was_lost = self.is_unreachable();
        self.change(|state| {
            state.heard = Some(now());
            if was_lost {
                state.phase = ClusterPhase::Connected;
            }
        });
        if was_lost {
            tracing::info!(context = %self.context, "the cluster is back");
            self.again.send_modify(|count| *count += 1);
        }
    }

    fn unreachable(&self, error: &ClusterError) {
        let report = explained(error);
        tracing::debug!(context = %self.context, error = %report.message, "no answer");
        self.change(|state| {
            let since = match &state.phase {
                ClusterPhase::Unreachable { since, .. } => *since,
                _ => now(),
            };
            state.stale(since, &report);
            state.phase = ClusterPhase::Unreachable { since, report };
        });
    }
}

/// Whether it answers at all: an answer that says no is one too, unless it is about who we are.
async fn ask(cluster: &Cluster) -> Result<(), ClusterError> {
    let client = cluster.client();
    let asked = tokio::time::timeout(LIMIT, client.apiserver_version()).await;
    let asked = asked.unwrap_or_else(|elapsed| Err(kube::Error::Service(elapsed.into())));
    match asked {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => Ok(()),
        Err(error) => Err(cluster.explain("reach the cluster", error)),
    }
}
