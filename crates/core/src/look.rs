//! What is in a cluster, as lists: namespaces, services, workloads, pods. One read each; rows are plain values that can be serialised.

mod age;
mod pods;
mod rows;
mod workloads;

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Namespace, Service};
use kube::api::{Api, ListParams};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;

pub use self::age::age;
pub(crate) use self::pods::status;
pub use self::pods::{PodRow, controller, pods};
pub use self::rows::{NamespaceRow, Port, ServiceRow};
pub(crate) use self::workloads::objects;
pub use self::workloads::{WorkloadRow, workloads};
use crate::cluster::{Cluster, ClusterError};

/// How many objects one answer of the API server holds. Lists of thousands come in pages, so that no answer is so large that it times out.
const PAGE: u32 = 500;

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// In one namespace.
    Namespace(String),
    /// In all of them.
    All,
}

impl Scope {
    /// The words after "list the pods ".
    pub fn phrase(&self) -> String {
        match self {
            Self::Namespace(namespace) => format!("in namespace {namespace}"),
            Self::All => "in all namespaces".to_owned(),
        }
    }

    /// The API of a kind in this scope.
    pub fn api<K>(&self, cluster: &Cluster) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        match self {
            Self::Namespace(namespace) => Api::namespaced(cluster.client(), namespace),
            Self::All => Api::all(cluster.client()),
        }
    }
}

/// Every namespace, by name.
///
/// # Errors
///
/// What the API server answers.
pub async fn namespaces(cluster: &Cluster) -> Result<Vec<NamespaceRow>, ClusterError> {
    let list = all::<Namespace>(&Api::all(cluster.client()), &ListParams::default())
        .await
        .map_err(|error| cluster.explain("list the namespaces", error))?;
    Ok(sorted(list.into_iter().map(NamespaceRow::from).collect(), |row| row.name.clone()))
}

/// Every service of the scope, by namespace and name.
///
/// # Errors
///
/// What the API server answers. A namespace that does not exist is an empty list; see [`namespace_exists`].
pub async fn services(cluster: &Cluster, scope: &Scope) -> Result<Vec<ServiceRow>, ClusterError> {
    let list = all::<Service>(&scope.api(cluster), &ListParams::default())
        .await
        .map_err(|error| cluster.explain(format!("list the services {}", scope.phrase()), error))?;
    Ok(sorted(list.into_iter().map(ServiceRow::from).collect(), |row| {
        (row.namespace.clone(), row.name.clone())
    }))
}

/// Whether the namespace exists. `None` where the user may not ask.
///
/// # Errors
///
/// What the API server answers.
pub async fn namespace_exists(cluster: &Cluster, name: &str) -> Result<Option<bool>, ClusterError> {
    match Api::<Namespace>::all(cluster.client()).get_opt(name).await {
        Ok(found) => Ok(Some(found.is_some())),
        Err(error) => match cluster.explain(format!("look for the namespace {name}"), error) {
            ClusterError::Forbidden { .. } => Ok(None),
            error => Err(error),
        },
    }
}

/// All objects, page after page.
pub(crate) async fn all<K>(api: &Api<K>, parameters: &ListParams) -> kube::Result<Vec<K>>
where
    K: Clone + DeserializeOwned + Debug,
{
    let mut parameters = parameters.clone().limit(PAGE);
    let mut items = Vec::new();
    loop {
        match api.list(&parameters).await {
            Ok(page) => {
                items.extend(page.items);
                match page.metadata.continue_.filter(|token| !token.is_empty()) {
                    Some(token) => parameters.continue_token = Some(token),
                    None => return Ok(items),
                }
            }
            // The pages' common state is older than the API server keeps: begin anew, in one answer.
            Err(kube::Error::Api(status)) if status.code == 410 && parameters.limit.is_some() => {
                items.clear();
                parameters.limit = None;
                parameters.continue_token = None;
            }
            Err(error) => return Err(error),
        }
    }
}

fn sorted<T, K: Ord>(mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    rows.sort_by_key(key);
    rows
}

/// When an object was made.
fn created<K: ResourceExt>(object: &K) -> Option<jiff::Timestamp> {
    object.creation_timestamp().map(|time| time.0)
}
