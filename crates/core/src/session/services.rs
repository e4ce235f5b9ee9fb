//! The services of the chosen namespaces, followed: listeners come and go with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{Stream, StreamExt, pin_mut, stream};
use k8s_openapi::api::core::v1::{Endpoints, Service};
use kube::Api;
use kube::runtime::watcher;

use super::chronicle::Chronicle;
use super::follow::{Seen, follow};
use super::outbound::{Outbound, external, wanted_by, wanted_by_endpoints, wanted_by_plan};
use crate::event::What;
use crate::names::Excluded;
use crate::plan::{HEADLESS, OutboundService, Plan};

/// Hosts outside the cluster are in no namespace.
const OUTSIDE: &str = "";

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
pub(super) async fn open_planned(plan: &Plan, outbound: &Outbound) {
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
        outbound.sync(&namespace, wanted).await;
    }
    if plan.hosts.is_some() {
        let hosts = plan.request.external_hosts.iter().flat_map(external).collect();
        outbound.sync(OUTSIDE, hosts).await;
    }
}

/// One namespace, followed.
pub(super) struct Follow {
    pub(super) client: kube::Client,
    pub(super) namespace: String,
    pub(super) outbound: Arc<Outbound>,
    pub(super) chronicle: Arc<Chronicle>,
    pub(super) excluded: Excluded,
}

impl Follow {
    /// For ever.
    pub(super) async fn keep(self) {
        let api = Api::<Service>::namespaced(self.client.clone(), &self.namespace);
        let services = follow(api, watcher::Config::default());
        let endpoints = self.endpoints();
        pin_mut!(services, endpoints);
        // Services alone would take the pods' names away that the plan has given, until their endpoints are known.
        let (mut services_now, mut endpoints_now) =
            (None, self.outbound.ground.hosts().is_none().then(Seen::<Endpoints>::new));
        let mut told = Vec::new();
        loop {
            let failed = tokio::select! {
                Some(seen) = services.next() => match seen {
                    Ok(seen) => {
                        services_now = Some(seen);
                        None
                    }
                    Err(error) => Some(("Services", error)),
                },
                Some(seen) = endpoints.next() => match seen {
                    Ok(seen) => {
                        endpoints_now = Some(seen);
                        None
                    }
                    Err(error) => {
                        if is_forbidden(&error) {
                            endpoints_now = Some(Seen::new());
                        }
                        Some(("Pods of headless services", error))
                    }
                },
                else => return,
            };
            if let Some((what, error)) = failed {
                self.tell(what, &error, &mut told);
            }
            if let (Some(services), Some(endpoints)) = (&services_now, &endpoints_now) {
                self.sync(services, endpoints).await;
            }
        }
    }

    /// The endpoints of headless services; nothing where pods get no names.
    fn endpoints(
        &self,
    ) -> impl Stream<Item = Result<Seen<Endpoints>, watcher::Error>> + Send + use<> {
        if self.outbound.ground.hosts().is_none() {
            return stream::pending().left_stream();
        }
        let api = Api::<Endpoints>::namespaced(self.client.clone(), &self.namespace);
        follow(api, watcher::Config::default().labels(HEADLESS)).right_stream()
    }

    async fn sync(&self, services: &Seen<Service>, endpoints: &Seen<Endpoints>) {
        let ours = services.iter().filter(|(name, _)| {
            (self.namespace.as_str(), name.as_str()) != KUBERNETES
                && !self.excluded.has(&self.namespace, name)
        });
        let wanted = ours.flat_map(|(name, service)| match endpoints.get(name) {
            Some(endpoints) if OutboundService::is_headless(service) => {
                wanted_by_endpoints(service, endpoints)
            }
            _ => wanted_by(service),
        });
        self.outbound.sync(&self.namespace, wanted.collect()).await;
    }

    fn tell(&self, what: &'static str, error: &watcher::Error, told: &mut Vec<&'static str>) {
        let namespace = &self.namespace;
        if !is_forbidden(error) {
            return tracing::debug!(namespace, what, %error, "a watch");
        }
        if !told.contains(&what) {
            let message = format!(
                "{what} of namespace {namespace} that come later will not be seen: {error}"
            );
            self.chronicle.tell(What::Warning { message });
            told.push(what);
        }
    }
}

fn is_forbidden(error: &watcher::Error) -> bool {
    matches!(
        error,
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 403
    )
}
