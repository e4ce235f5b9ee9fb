//! From the target to the workload.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Pod, Service};
use kube::ResourceExt;
use kube::api::{Api, DynamicObject, ListParams};
use serde_json::Value;
use towline_workload::{Kind, WorkloadRef};

use super::error::{TargetError, Unsuitable};
use super::owner::{Owner, Owners};
use super::selector;
use crate::cluster::{Cluster, ClusterError};
use crate::look::{self, Scope, WorkloadRow};
use crate::request::{Target, TargetKind};

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The workload.
    pub workload: WorkloadRef,
    /// The service that the user named, if it was one.
    pub service: Option<Service>,
}

/// Finds the workload that is behind `target`.
pub(super) async fn find(
    cluster: &Cluster,
    target: &Target,
    namespace: &str,
) -> Result<Found, TargetError> {
    let finder = Finder { cluster, target, namespace };
    let kind = match target.kind {
        None => return finder.by_name().await,
        Some(TargetKind::Service) => {
            let service = finder.service().await?;
            return match service {
                Some(service) => finder.behind(service).await,
                None => Err(finder.unknown().await),
            };
        }
        Some(TargetKind::Deployment) => Kind::Deployment,
        Some(TargetKind::StatefulSet) => Kind::StatefulSet,
        Some(TargetKind::DaemonSet) => Kind::DaemonSet,
        Some(TargetKind::ReplicaSet) => Kind::ReplicaSet,
        Some(TargetKind::Pod) => Kind::Pod,
    };
    match finder.object(kind).await? {
        Some(object) => finder.controlling(kind, &object).await,
        None => Err(finder.unknown().await),
    }
}

struct Finder<'a> {
    cluster: &'a Cluster,
    target: &'a Target,
    namespace: &'a str,
}

impl Finder<'_> {
    fn scope(&self) -> Scope {
        Scope::Namespace(self.namespace.to_owned())
    }

    /// A service of that name, else the one workload of that name.
    async fn by_name(&self) -> Result<Found, TargetError> {
        // Who may not read one kind may still mean another; the first refusal is told if nothing is found.
        let mut refused = None;
        match self.service().await {
            Ok(Some(service)) => return self.behind(service).await,
            Ok(None) => {}
            Err(error @ ClusterError::Forbidden { .. }) => refused = Some(error),
            Err(error) => return Err(error.into()),
        }
        let mut found = Vec::new();
        for kind in Kind::ALL {
            match self.object(kind).await {
                Ok(Some(object)) => found.push((kind, object)),
                Ok(None) => {}
                Err(error @ ClusterError::Forbidden { .. }) => refused = refused.or(Some(error)),
                Err(error) => return Err(error.into()),
            }
        }
        match (found.as_slice(), refused) {
            ([(kind, object)], _) => self.controlling(*kind, object).await,
            ([], Some(error)) => Err(error.into()),
            ([], None) => Err(self.unknown().await),
            (several, _) => Err(TargetError::Ambiguous {
                what: format!("'{}'", self.target.name),
                namespace: self.namespace.to_owned(),
                workloads: several.iter().map(|(kind, _)| self.named(*kind)).collect(),
            }),
        }
    }

    fn named(&self, kind: Kind) -> WorkloadRef {
        WorkloadRef { kind, namespace: self.namespace.to_owned(), name: self.target.name.clone() }
    }

    async fn service(&self) -> Result<Option<Service>, ClusterError> {
        let api: Api<Service> = self.scope().api(self.cluster);
        api.get_opt(&self.target.name).await.map_err(|error| {
            let doing =
                format!("read the service {} in namespace {}", self.target.name, self.namespace);
            self.cluster.explain(doing, error)
        })
    }

    async fn object(&self, kind: Kind) -> Result<Option<DynamicObject>, ClusterError> {
        let workload = self.named(kind);
        workload
            .api(self.cluster.client())
            .get_opt(&workload.name)
            .await
            .map_err(|error| self.cluster.explain(format!("read {workload}"), error))
    }

    /// The object itself, or what controls it.
    async fn controlling(&self, kind: Kind, object: &DynamicObject) -> Result<Found, TargetError> {
        let mut owners = Owners::new(self.cluster, self.namespace);
        match owners.top(kind, &object.name_any(), object.owner_references()).await? {
            Owner::Workload(workload) => Ok(Found { workload, service: None }),
            Owner::Other { kind: controller, name } => {
                let reason = Unsuitable::Controller { kind: controller, name };
                Err(TargetError::Unsuitable { target: self.named(kind).to_string(), reason })
            }
        }
    }

    fn unsuitable(&self, reason: Unsuitable) -> TargetError {
        let target = format!("service '{}' in namespace {}", self.target.name, self.namespace);
        TargetError::Unsuitable { target, reason }
    }

    /// The workload whose pods the service sends its connections to.
    async fn behind(&self, service: Service) -> Result<Found, TargetError> {
        let spec = service.spec.clone().unwrap_or_default();
        if spec.type_.as_deref() == Some("ExternalName") {
            return Err(
                self.unsuitable(Unsuitable::ExternalName(spec.external_name.unwrap_or_default()))
            );
        }
        let selector = spec.selector.unwrap_or_default();
        if selector.is_empty() {
            return Err(self.unsuitable(Unsuitable::NoSelector));
        }
        let query = selector::equality(&selector);
        let pods = look::all::<Pod>(
            &self.scope().api(self.cluster),
            &ListParams::default().labels(&query),
        )
        .await
        .map_err(|error| {
            self.cluster
                .explain(format!("list the pods of the service {}", self.target.name), error)
        })?;
        let mut workloads = self.controllers(&pods).await?;
        if workloads.is_empty() {
            workloads = self.templates_with(&selector).await?;
        }
        let mut workloads = workloads.into_iter();
        match (workloads.next(), workloads.len()) {
            (None, _) => Err(self.unsuitable(Unsuitable::NothingSelected(query))),
            (Some(workload), 0) => Ok(Found { workload, service: Some(service) }),
            (Some(first), _) => Err(TargetError::Ambiguous {
                what: format!("The workload behind the service '{}'", self.target.name),
                namespace: self.namespace.to_owned(),
                workloads: std::iter::once(first).chain(workloads).collect(),
            }),
        }
    }

    async fn controllers(&self, pods: &[Pod]) -> Result<BTreeSet<WorkloadRef>, TargetError> {
        let mut owners = Owners::new(self.cluster, self.namespace);
        let mut workloads = BTreeSet::new();
        let mut other = None;
        for pod in pods.iter().filter(|pod| is_serving(pod)) {
            match owners.top(Kind::Pod, &pod.name_any(), pod.owner_references()).await? {
                Owner::Workload(workload) => {
                    workloads.insert(workload);
                }
                Owner::Other { kind, name } => other = Some(Unsuitable::Controller { kind, name }),
            }
        }
        match other {
            Some(reason) if workloads.is_empty() => Err(self.unsuitable(reason)),
            _ => Ok(workloads),
        }
    }

    /// The workloads whose pods the selector would take, if they had any.
    async fn templates_with(
        &self,
        selector: &std::collections::BTreeMap<String, String>,
    ) -> Result<BTreeSet<WorkloadRef>, TargetError> {
        let mut workloads = BTreeSet::new();
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Pod) {
            for object in look::objects(self.cluster, &self.scope(), kind).await? {
                let labels = &object.data["spec"]["template"]["metadata"]["labels"];
                let labels = serde_json::from_value(labels.clone()).unwrap_or_default();
                let controlled = look::controller(object.owner_references()).is_some();
                // A Deployment has old ReplicaSets of the same labels.
                if selector::selects(selector, &labels) && !(kind == Kind::ReplicaSet && controlled)
                {
                    workloads.insert(WorkloadRef { name: object.name_any(), ..self.named(kind) });
                }
            }
        }
        Ok(workloads)
    }

    /// That there is nothing of that name, with the name that is most like it.
    async fn unknown(&self) -> TargetError {
        let scope = self.scope();
        let (services, workloads) = tokio::join!(
            look::services(self.cluster, &scope),
            look::workloads(self.cluster, &scope)
        );
        let kind = self.target.kind.map(TargetKind::as_str);
        let fits = |row: &WorkloadRow| kind.is_none_or(|kind| kind == row.workload.kind.as_str());
        // Who may not list gets the same error without a suggestion.
        let mut known: Vec<String> = workloads
            .unwrap_or_default()
            .into_iter()
            .filter(fits)
            .map(|row| row.workload.name)
            .collect();
        if matches!(self.target.kind, None | Some(TargetKind::Service)) {
            known.extend(services.unwrap_or_default().into_iter().map(|row| row.name));
        }
        TargetError::unknown(self.target, self.namespace, &known)
    }
}

fn is_serving(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    pod.metadata.deletion_timestamp.is_none() && !matches!(phase, Some("Succeeded" | "Failed"))
}

/// The name of the workload's own controller, such as an operator's custom resource, that may undo any change to it.
pub(crate) fn managed_by(value: &Value) -> Option<String> {
    let owners = value["metadata"]["ownerReferences"].as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"] == true)?;
    Some(format!("{} '{}'", owner["kind"].as_str()?, owner["name"].as_str()?))
}
