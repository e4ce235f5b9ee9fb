//! Up the chain of controllers: pod, ReplicaSet, Deployment.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt;
use kube::api::Api;
use towline_workload::{Kind, WorkloadRef};

use crate::cluster::{Cluster, ClusterError};
use crate::look;

/// What is at the top of the chain.
pub(super) enum Owner {
    /// Something that can be redirected.
    Workload(WorkloadRef),
    /// Something else.
    Other { kind: String, name: String },
}

/// Looks owners up; each ReplicaSet is read once.
pub(super) struct Owners<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
    replica_sets: BTreeMap<String, Vec<OwnerReference>>,
}

impl<'a> Owners<'a> {
    pub(super) fn new(cluster: &'a Cluster, namespace: &'a str) -> Self {
        Self { cluster, namespace, replica_sets: BTreeMap::new() }
    }

    /// What is at the top of the object's chain; the object itself where nothing controls it.
    pub(super) async fn top(
        &mut self,
        kind: Kind,
        name: &str,
        references: &[OwnerReference],
    ) -> Result<Owner, ClusterError> {
        // What stands above these three (an operator) makes them, not their pods; it is told in a check of the plan.
        if !matches!(kind, Kind::Pod | Kind::ReplicaSet) {
            return Ok(self.workload(kind, name));
        }
        let Some(owner) = look::controller(references) else {
            return Ok(self.workload(kind, name));
        };
        let other = || Owner::Other { kind: owner.kind.clone(), name: owner.name.clone() };
        if !owner.api_version.starts_with("apps/") {
            return Ok(other());
        }
        match owner.kind.as_str() {
            "ReplicaSet" => {
                let above = self.of_replica_set(&owner.name).await?;
                Box::pin(self.top(Kind::ReplicaSet, &owner.name, &above)).await
            }
            "Deployment" => Ok(self.workload(Kind::Deployment, &owner.name)),
            "StatefulSet" => Ok(self.workload(Kind::StatefulSet, &owner.name)),
            "DaemonSet" => Ok(self.workload(Kind::DaemonSet, &owner.name)),
            _ => Ok(other()),
        }
    }

    fn workload(&self, kind: Kind, name: &str) -> Owner {
        Owner::Workload(WorkloadRef {
            kind,
            namespace: self.namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    async fn of_replica_set(&mut self, name: &str) -> Result<Vec<OwnerReference>, ClusterError> {
        if let Some(known) = self.replica_sets.get(name) {
            return Ok(known.clone());
        }
        let api: Api<ReplicaSet> = Api::namespaced(self.cluster.client(), self.namespace);
        let set = api.get_metadata(name).await.map_err(|error| {
            let doing = format!(
                "read replicaset/{name} in namespace {}, to which a pod belongs",
                self.namespace
            );
            self.cluster.explain(doing, error)
        })?;
        let owners = set.owner_references().to_vec();
        self.replica_sets.insert(name.to_owned(), owners.clone());
        Ok(owners)
    }
}
