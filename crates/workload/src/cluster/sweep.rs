//! Removing what a session leaves in the namespace.

use futures::future::join_all;
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Preconditions};
use serde_json::Value;
use tokio::time::Instant;

use super::observe::{ObserveError, Selection, until};
use super::pods::pods_api;
use super::request::{RequestError, code, explain};
use crate::names::{lease_name, session_object_name, session_selector};
use crate::rollout::is_terminating;
use crate::workload::resource;
use crate::{Kind, WorkloadRef};

/// Who sweeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweeper {
    /// The developer's side: removes everything itself, so that nothing has to wait for the cluster's garbage collector.
    Client,
    /// The restorer: it would saw off its own branch by deleting its account or its Job, so it deletes the lease last, and the garbage
    /// collector removes what the lease owns, the restorer among it.
    Restorer,
}

/// What [`sweep`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// What could not be removed.
    pub left: Vec<Left>,
}

/// Something of the session that is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// What: `job/towline-0123456789ab`.
    pub what: String,
    /// Why, in the server's words.
    pub why: String,
}

/// Removes what the session has left: the agent's revisions of the workload, the restorer and its rights, a bare pod's Secret, and last the
/// lease; then waits until the pods are gone or on their way out. Call it when the workload has been restored. What is missing already is no error; what may
/// not be deleted is reported. The lease of another session is left alone.
///
/// # Errors
/// When the server cannot be reached; call it again then.
pub async fn sweep(
    client: &Client,
    workload: &WorkloadRef,
    session: &str,
    sweeper: Sweeper,
    deadline: Instant,
) -> Result<Swept, RequestError> {
    let sweep = Sweep { client, workload, session };
    let mut left = sweep.revisions(deadline).await?;
    if sweeper == Sweeper::Client {
        left.extend(sweep.owned().await?);
    }
    left.extend(sweep.lease().await?);
    if sweeper == Sweeper::Client {
        left.extend(sweep.pods_gone(deadline).await?);
    }
    Ok(Swept { left })
}

struct Sweep<'a> {
    client: &'a Client,
    workload: &'a WorkloadRef,
    session: &'a str,
}

impl Sweep<'_> {
    fn api(&self, resource: &ApiResource) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.workload.namespace, resource)
    }

    /// The revisions made of the agent's template: they carry its label.
    async fn revisions(&self, deadline: Instant) -> Result<Vec<Left>, RequestError> {
        let resource = match self.workload.kind {
            Kind::Deployment => Kind::ReplicaSet.api_resource(),
            Kind::StatefulSet | Kind::DaemonSet => {
                resource("apps", "v1", "ControllerRevision", "controllerrevisions")
            }
            Kind::ReplicaSet | Kind::Pod => return Ok(Vec::new()),
        };
        // A replica set counts its pods a moment after they have been told to go.
        let mut names = Vec::new();
        let api = self.api(&resource);
        let unused =
            until(&api, Selection::labels(session_selector(self.session)), deadline, |seen| {
                let ours = seen.iter().filter(|(_, object)| self.is_ours(object));
                let (unused, used): (Vec<_>, Vec<_>) = ours.partition(|(_, o)| is_unused(o));
                names = unused.into_iter().map(|(name, _)| name.clone()).collect();
                used.is_empty().then_some(())
            });
        let mut left = match unused.await {
            Ok(()) | Err(ObserveError::Deadline(None)) => Vec::new(),
            Err(ObserveError::Deadline(Some(error)) | ObserveError::Refused(error)) => {
                self.tolerate(&resource, "", error)?
            }
        };
        let names = names.into_iter();
        let deleted = names.map(|name| self.delete(&resource, name, DeleteParams::background()));
        left.extend(collect(join_all(deleted).await)?);
        Ok(left)
    }

    fn is_ours(&self, object: &Value) -> bool {
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        owners.into_iter().flatten().any(|owner| owner["name"] == self.workload.name.as_str())
    }

    /// The restorer and the Secret.
    async fn owned(&self) -> Result<Vec<Left>, RequestError> {
        // The Job first: as long as it is there, its controller would make another pod in place of a deleted one.
        let job = resource("batch", "v1", "Job", "jobs");
        let name = session_object_name(self.session);
        let mut left: Vec<Left> = self
            .delete(&job, name.clone(), DeleteParams::background())
            .await?
            .into_iter()
            .collect();
        let rbac = |kind, plural| resource("rbac.authorization.k8s.io", "v1", kind, plural);
        let mut resources = vec![
            rbac("RoleBinding", "rolebindings"),
            rbac("Role", "roles"),
            resource("", "v1", "ServiceAccount", "serviceaccounts"),
        ];
        if self.workload.kind == Kind::Pod {
            resources.push(resource("", "v1", "Secret", "secrets"));
        }
        let rest = resources
            .iter()
            .map(|resource| self.delete(resource, name.clone(), DeleteParams::background()));
        let (pods, rest) = futures::join!(self.restorer_pods(), join_all(rest));
        left.extend(pods?);
        left.extend(collect(rest)?);
        Ok(left)
    }

    // Without a grace period: the restorer has nothing to finish, and the workload is restored.
    async fn restorer_pods(&self) -> Result<Vec<Left>, RequestError> {
        let pods = Kind::Pod.api_resource();
        let selector = format!("job-name={}", session_object_name(self.session));
        let list = match self.api(&pods).list(&ListParams::default().labels(&selector)).await {
            Ok(list) => list,
            Err(error) => return self.tolerate(&pods, "", error),
        };
        let names = list.items.into_iter().filter_map(|pod| pod.metadata.name);
        let now = DeleteParams::default().grace_period(0);
        collect(join_all(names.map(|name| self.delete(&pods, name, now.clone()))).await)
    }

    async fn lease(&self) -> Result<Vec<Left>, RequestError> {
        let leases = resource("coordination.k8s.io", "v1", "Lease", "leases");
        let name = lease_name(self.workload);
        let lease = match self.api(&leases).get_opt(&name).await {
            Ok(lease) => lease,
            Err(error) => return self.tolerate(&leases, &name, error),
        };
        let Some(lease) = lease else { return Ok(Vec::new()) };
        if lease.data["spec"]["holderIdentity"] != self.session {
            return Ok(Vec::new());
        }
        // The uid, so that a session which begins at this moment does not lose its own.
        let same = Preconditions { uid: lease.metadata.uid, resource_version: None };
        let parameters = DeleteParams::background().preconditions(same);
        Ok(self.delete(&leases, name, parameters).await?.into_iter().collect())
    }

    async fn pods_gone(&self, deadline: Instant) -> Result<Vec<Left>, RequestError> {
        let api = pods_api(self.client, &self.workload.namespace);
        let mut names = Vec::new();
        let gone =
            until(&api, Selection::labels(session_selector(self.session)), deadline, |seen| {
                let staying = seen.iter().filter(|(_, pod)| !is_terminating(pod));
                names = staying.map(|(name, _)| name.clone()).collect();
                names.is_empty().then_some(())
            });
        match gone.await {
            Ok(()) => Ok(Vec::new()),
            Err(ObserveError::Deadline(None)) => {
                let why = "its controller has not deleted it".to_owned();
                let left = names
                    .into_iter()
                    .map(|name| Left { what: format!("pod/{name}"), why: why.clone() });
                Ok(left.collect())
            }
            Err(ObserveError::Deadline(Some(error)) | ObserveError::Refused(error)) => {
                self.tolerate(&Kind::Pod.api_resource(), "", error)
            }
        }
    }

    async fn delete(
        &self,
        resource: &ApiResource,
        name: String,
        parameters: DeleteParams,
    ) -> Result<Option<Left>, RequestError> {
        match self.api(resource).delete(&name, &parameters).await {
            Ok(_) => Ok(None),
            // 404: gone. 409: another object of that name, by its uid.
            Err(error) if matches!(code(&error), Some(404 | 409)) => Ok(None),
            Err(error) => Ok(self.tolerate(resource, &name, error)?.pop()),
        }
    }

    /// A missing right is reported; everything else is an error.
    fn tolerate(
        &self,
        resource: &ApiResource,
        name: &str,
        error: kube::Error,
    ) -> Result<Vec<Left>, RequestError> {
        let what = match name {
            "" => format!("{} of session {}", resource.plural, self.session),
            name => format!("{}/{name}", resource.kind.to_lowercase()),
        };
        if code(&error) != Some(403) {
            let namespace = &self.workload.namespace;
            return Err(RequestError::new(
                format!("removing {what} from namespace {namespace}"),
                error,
            ));
        }
        Ok(vec![Left { what, why: explain(&error) }])
    }
}

/// Whether no pod is of that revision. A ControllerRevision counts none.
fn is_unused(object: &Value) -> bool {
    let replicas = |at: &str| object.pointer(at).and_then(Value::as_u64).unwrap_or(0);
    replicas("/spec/replicas") == 0 && replicas("/status/replicas") == 0
}

fn collect(results: Vec<Result<Option<Left>, RequestError>>) -> Result<Vec<Left>, RequestError> {
    results.into_iter().filter_map(Result::transpose).collect()
}
