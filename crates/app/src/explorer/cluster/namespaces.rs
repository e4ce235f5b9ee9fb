//! The names of the namespaces, for the picker.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::ResourceExt;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Config, Event, watcher};
use towline_core::cluster::{Cluster, ClusterError};

use super::Picked;
use super::feed::cause;
use crate::report::explained;

/// How long after a failure it is tried again. A missing right is mended by people, so there is no hurry.
const RETRY: Duration = Duration::from_secs(30);

impl Picked {
    /// Keeps the names current, for ever.
    pub(super) async fn follow_namespaces(&self, cluster: &Cluster) {
        let mut again = self.again.subscribe();
        loop {
            tokio::select! {
                error = self.namespaces_until_broken(cluster) => {
                    let error = cluster.explain("list the namespaces", error);
                    tracing::debug!(context = %self.context, %error, "namespaces");
                    self.namespaces_broken(&error);
                }
                _ = again.changed() => continue,
            }
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                _ = again.changed() => {}
            }
        }
    }

    async fn namespaces_until_broken(&self, cluster: &Cluster) -> kube::Error {
        let api: Api<PartialObjectMeta<Namespace>> = Api::all(cluster.client());
        let mut events = pin!(watcher(api, Config::default()));
        let (mut names, mut listed) = (BTreeSet::new(), false);
        while let Some(event) = events.next().await {
            match event {
                Err(error) => return cause(error),
                Ok(Event::Init) => (names, listed) = (BTreeSet::new(), false),
                Ok(Event::InitApply(namespace)) => {
                    names.insert(namespace.name_any());
                }
                Ok(Event::InitDone) => listed = true,
                Ok(Event::Apply(namespace)) => {
                    names.insert(namespace.name_any());
                }
                Ok(Event::Delete(namespace)) => {
                    names.remove(&namespace.name_any());
                }
            }
            if listed {
                self.namespaces_are(&names);
            }
        }
        cause(watcher::Error::NoResourceVersion)
    }

    fn namespaces_are(&self, names: &BTreeSet<String>) {
        let news = {
            let state = self.state();
            state.namespaces_refused.is_some() || !state.namespaces.iter().eq(names)
        };
        if news {
            self.change(|state| {
                state.namespaces = names.iter().cloned().collect();
                state.namespaces_refused = None;
            });
        }
    }

    // Any other failure shows in the cluster's phase and in the tables.
    fn namespaces_broken(&self, error: &ClusterError) {
        match error {
            ClusterError::Forbidden { .. } => {
                let report = explained(error);
                self.change(|state| state.namespaces_refused = Some(report));
            }
            error => {
                if !self.fail_for_good(error) {
                    self.look_again();
                }
            }
        }
    }
}
