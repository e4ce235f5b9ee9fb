//! Looking again at leftovers while they are shown: the cluster repairs most of them by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use towline_core::cluster::Cluster;
use towline_core::look::Scope;

use super::{Leftovers, leases};

/// How often the leases are looked at, which costs next to nothing.
const PAUSE: Duration = Duration::from_secs(2);

impl Leftovers {
    /// Until the cluster has no leftover any more.
    pub(super) async fn until_gone(&self, cluster: &Cluster) {
        let mut pace = Pace::default();
        loop {
            tokio::time::sleep(PAUSE).await;
            let scopes = self.places(cluster.context());
            if scopes.is_empty() {
                return;
            }
            let mut found = BTreeSet::new();
            for scope in &scopes {
                match leases(cluster, scope, None).await {
                    Ok(leases) => found.extend(leases),
                    Err(error) => tracing::debug!(%error, "looking for leases of leftovers"),
                }
            }
            if pace.is_due(found) {
                self.look(cluster, &scopes).await;
            }
        }
    }

    /// The namespaces of a cluster's leftovers.
    fn places(&self, context: &str) -> Vec<Scope> {
        let known = self.known();
        let here = known.values().filter(|known| known.leftover.context == context);
        let namespaces: BTreeSet<String> =
            here.map(|known| known.leftover.namespace.clone()).collect();
        namespaces.into_iter().map(Scope::Namespace).collect()
    }
}

/// When the workloads themselves are looked at: each time for a while after the leases have changed, for the lease goes before the last of a repair;
/// else now and then.
#[derive(Default)]
struct Pace {
    leases: BTreeSet<String>,
    /// So many times more without a pause.
    soon: u32,
    /// So many times it was not done.
    idle: u32,
}

impl Pace {
    /// Looks without a pause after a change: 20 s.
    const SOON: u32 = 10;
    /// Times that it is not done: 10 s.
    const IDLE: u32 = 5;

    fn is_due(&mut self, leases: BTreeSet<String>) -> bool {
        if leases != self.leases {
            self.leases = leases;
            self.soon = Self::SOON;
        }
        let due = self.soon > 0 || self.idle >= Self::IDLE;
        self.soon = self.soon.saturating_sub(1);
        self.idle = if due { 0 } else { self.idle + 1 };
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_are_looked_at_after_a_change_and_else_now_and_then() {
        let lease = || BTreeSet::from(["a".to_owned()]);
        let mut pace = Pace::default();
        let due = |pace: &mut Pace, leases: &dyn Fn() -> BTreeSet<String>, times: u32| {
            (0..times).filter(|_| pace.is_due(leases())).count()
        };
        assert_eq!(due(&mut pace, &lease, Pace::SOON), 10, "the first is a change");
        assert_eq!(due(&mut pace, &lease, 2 * (Pace::IDLE + 1)), 2);
        assert_eq!(due(&mut pace, &BTreeSet::new, 4), 4, "the lease is gone");
    }
}
