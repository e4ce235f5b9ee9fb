//! Removing the agent's pods from a restored workload whose controller keeps them.

use futures::future::try_join_all;
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Preconditions};

use super::request::{RequestError, code};
use crate::names::{agent_pods_selector, session_selector};
use crate::{Kind, WorkloadRef};

/// Removes what still runs the session's agent. A rolling update keeps the agent's pods until the workload's own are Ready, for ever if they never
/// are; but the workload has been restored, and an agent without its client serves nobody.
///
/// # Errors
/// What the API server answers.
pub(super) async fn evict(
    client: &Client,
    workload: &WorkloadRef,
    session: &str,
) -> Result<(), RequestError> {
    // A deleted pod of a replica set comes again; the set itself does not, as its Deployment has another template now.
    let (kind, selector) = match workload.kind {
        Kind::Deployment => (Kind::ReplicaSet, session_selector(session)),
        _ => (Kind::Pod, agent_pods_selector(session)),
    };
    let resource = kind.api_resource();
    let api: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), &workload.namespace, &resource);
    let failed = |error| {
        RequestError::new(format!("removing the agent's {} of {workload}", resource.plural), error)
    };
    let list = api.list(&ListParams::default().labels(&selector)).await.map_err(failed)?;
    let ours = list
        .items
        .into_iter()
        .filter(|object| object.metadata.deletion_timestamp.is_none() && is_of(workload, object));
    let deletions = ours.map(|object| {
        let same = Preconditions { uid: object.metadata.uid, resource_version: None };
        let parameters = DeleteParams::background().preconditions(same);
        let (api, name) = (&api, object.metadata.name.unwrap_or_default());
        async move {
            match api.delete(&name, &parameters).await {
                // Gone, or another object of that name: as wanted.
                Err(error) if !matches!(code(&error), Some(404 | 409)) => Err(failed(error)),
                _ => Ok(()),
            }
        }
    });
    try_join_all(deletions).await.map(drop)
}

fn is_of(workload: &WorkloadRef, object: &DynamicObject) -> bool {
    let owners = object.metadata.owner_references.iter().flatten();
    let mut owners = owners.filter(|owner| owner.controller == Some(true));
    owners.any(|owner| {
        owner.kind.eq_ignore_ascii_case(workload.kind.as_str()) && owner.name == workload.name
    })
}
