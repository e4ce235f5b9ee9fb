//! The services that a session reaches, as the cluster has them.

use k8s_openapi::api::core::v1::{Endpoints, Service};
use kube::api::ListParams;

use super::{Check, OutboundService, PlanError};
use crate::cluster::{Cluster, ClusterError, list};
use crate::look::{self, Scope};
use crate::names::Excluded;
use crate::request::Request;
use crate::target;

/// What the endpoints controller puts on the endpoints of headless services, and on no others (`IsHeadlessService` in `k8s.io/api/core/v1`).
pub(crate) const HEADLESS: &str = "service.kubernetes.io/headless";

/// The services that are reached, and what is to be said of those that are not.
pub(super) async fn outbound(
    cluster: &Cluster,
    request: &Request,
    home: &str,
    namespaces: &[String],
) -> Result<(Vec<OutboundService>, Vec<Check>), PlanError> {
    let each = namespaces.iter().map(|namespace| async move {
        target::existing_namespace(cluster, namespace).await?;
        let scope = Scope::Namespace(namespace.clone());
        let services = look::all::<Service>(&scope.api(cluster), &ListParams::default()).await;
        match services.map_err(|error| {
            cluster.explain(format!("list the services {}", scope.phrase()), error)
        }) {
            Ok(services) => Ok(services),
            Err(ClusterError::Forbidden { .. }) => Ok(Vec::new()),
            Err(error) => Err(PlanError::from(error)),
        }
    });
    let services = futures::future::try_join_all(each).await?.concat();
    let excluded = Excluded::of(&request.exclude, home);
    let mut checks = Vec::new();
    let is_known = |namespace: &str, name: &str| {
        let same = |service: &Service| {
            service.metadata.namespace.as_deref() == Some(namespace)
                && service.metadata.name.as_deref() == Some(name)
        };
        services.iter().any(same) || (namespace, name) == ("default", "kubernetes")
    };
    let unknown: Vec<String> = excluded.unknown(is_known).collect();
    if !unknown.is_empty() {
        let message = format!("What is to be left out is not there: {}.", list(&unknown));
        let fix = "Name services of the chosen namespaces, as NAME or NAME.NAMESPACE.".to_owned();
        checks.push(Check::warning("services", message, Some(fix)));
    }
    let kept = services.iter().filter(|service| {
        let name = service.metadata.name.as_deref().unwrap_or_default();
        !excluded.has(service.metadata.namespace.as_deref().unwrap_or_default(), name)
    });
    let kept: Vec<&Service> = kept.collect();
    let mut outbound: Vec<OutboundService> =
        kept.iter().filter_map(|service| OutboundService::of(service)).collect();
    if request.names.has_addresses() {
        checks.extend(without_ports(&kept));
        if kept.iter().any(|service| OutboundService::is_headless(service)) {
            add_endpoints(cluster, namespaces, &mut outbound).await?;
        }
    }
    Ok((outbound, checks))
}

/// What is known of headless services' pods. Whoever may not read it does without, as a check of the rights says.
async fn add_endpoints(
    cluster: &Cluster,
    namespaces: &[String],
    services: &mut [OutboundService],
) -> Result<(), PlanError> {
    let headless = ListParams::default().labels(HEADLESS);
    for namespace in namespaces {
        let scope = Scope::Namespace(namespace.clone());
        let read = look::all::<Endpoints>(&scope.api(cluster), &headless).await;
        let all = match read.map_err(|error| {
            cluster.explain(format!("list the endpoints {}", scope.phrase()), error)
        }) {
            Ok(all) => all,
            Err(ClusterError::Forbidden { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        for endpoints in all {
            let of_it = |service: &&mut OutboundService| {
                service.namespace == *namespace
                    && endpoints.metadata.name.as_ref() == Some(&service.name)
            };
            if let Some(service) = services.iter_mut().find(of_it) {
                service.add_endpoints(&endpoints);
            }
        }
    }
    Ok(())
}

/// A name that leads out of the cluster is of no use without a port to listen on.
fn without_ports(services: &[&Service]) -> Option<Check> {
    let names = services.iter().filter_map(|service| {
        let spec = service.spec.as_ref()?;
        let silent = spec.type_.as_deref() == Some("ExternalName")
            && spec.ports.iter().flatten().next().is_none();
        silent.then(|| service.metadata.name.clone()).flatten()
    });
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return None;
    }
    let message = format!(
        "These services lead out of the cluster and declare no port, so they have no name here: {}.",
        list(&names)
    );
    let fix = "Name them as external hosts, with their ports, in towline.yaml.".to_owned();
    Some(Check::warning("services", message, Some(fix)))
}
