//! The services of the chosen namespaces, followed: listeners come and go with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use kube::runtime::watcher;

use super::chronicle::Chronicle;
use super::follow::follow;
use super::outbound::{Outbound, wanted_by, wanted_by_plan};
use crate::event::What;
use crate::plan::Plan;

/// The API server's own service; its listener is made apart, see [`super::kubernetes`].
pub(super) const KUBERNETES: (&str, &str) = ("default", "kubernetes");

/// The namespaces whose services are reached.
pub(super) fn namespaces(plan: &Plan) -> Vec<String> {
    match plan.request.namespaces.is_empty() {
        true => vec![plan.workload.namespace.clone()],
        false => plan.request.namespaces.clone(),
    }
}

/// Opens the listeners that the plan names.
pub(super) fn open_planned(plan: &Plan, outbound: &Outbound) {
    let mut by_namespace: BTreeMap<String, Vec<_>> =
        namespaces(plan).into_iter().map(|name| (name, Vec::new())).collect();
    for service in &plan.outbound {
        if (service.namespace.as_str(), service.name.as_str()) != KUBERNETES {
            by_namespace
                .entry(service.namespace.clone())
                .or_default()
                .extend(wanted_by_plan(service));
        }
    }
    for (namespace, wanted) in by_namespace {
        outbound.sync(&namespace, wanted);
    }
}

/// Follows one namespace's services, for ever.
pub(super) async fn keep(
    client: kube::Client,
    namespace: String,
    outbound: Arc<Outbound>,
    chronicle: Arc<Chronicle>,
) {
    let services =
        follow(Api::<Service>::namespaced(client, &namespace), watcher::Config::default());
    pin_mut!(services);
    let mut told = false;
    while let Some(seen) = services.next().await {
        match seen {
            Ok(seen) => {
                let ours = seen.values().filter(|service| {
                    (namespace.as_str(), service.metadata.name.as_deref().unwrap_or_default())
                        != KUBERNETES
                });
                outbound.sync(&namespace, ours.flat_map(wanted_by).collect());
            }
            Err(
                watcher::Error::InitialListFailed(kube::Error::Api(status))
                | watcher::Error::WatchStartFailed(kube::Error::Api(status)),
            ) if status.code == 403 && !std::mem::replace(&mut told, true) => {
                let message = format!(
                    "Services of namespace {namespace} that come later will not be seen: {}",
                    status.message
                );
                chronicle.tell(What::Warning { message });
            }
            Err(error) => tracing::debug!(namespace, %error, "services"),
        }
    }
}
