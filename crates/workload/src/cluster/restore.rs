//! Putting a workload back.

use std::time::Duration;

use json_patch::Patch as JsonPatch;
use kube::Client;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use serde_json::Value;
use tokio::time::Instant;

use super::observe::{ObserveError, Selection, until};
use super::pods::{pods_api, workload_value};
use super::request::{RequestError, code};
use crate::names::{FIELD_MANAGER, POD_MANIFEST_KEY, lease_name, session_object_name};
use crate::original::Original;
use crate::rollout::is_terminating;
use crate::workload::resource;
use crate::{Kind, ReverseError, SessionRecord, WorkloadRef, is_installed, reverse};

/// How often the workload is read again because somebody else wrote it at the same moment. Controllers write the status a few times in a
/// rollout; nobody writes a hundred times.
const ATTEMPTS: usize = 100;

/// The longest wait for a bare pod with the agent to be gone. The agent itself ends within a second; other containers of the pod may take
/// the pod's grace period.
const POD_GONE: Duration = Duration::from_secs(120);

/// Which session is to be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// This one only.
    Session(String),
    /// Whichever is there.
    Any,
}

/// What became of the workload.
#[derive(Clone, Debug, PartialEq)]
pub enum Restored {
    /// No session is on it.
    NothingToDo,
    /// It has been put back.
    Restored {
        /// The session that was there.
        session: String,
        /// The fields that somebody else had changed meanwhile, which were left as they are.
        kept_from_others: Vec<String>,
    },
    /// It does not exist any more.
    WorkloadGone,
    /// Another session is on it; nothing was changed.
    TakenOver {
        /// Whose.
        by: Box<SessionRecord>,
    },
}

/// The workload could not be put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A request failed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The way back cannot be computed.
    #[error("restoring {0} failed: {1}")]
    Reverse(WorkloadRef, #[source] ReverseError),
    /// Somebody wrote the workload each time between reading and writing.
    #[error(
        "restoring {0} failed: it was changed {ATTEMPTS} times while it was being written; try again"
    )]
    Contended(WorkloadRef),
    /// The bare pod with the agent does not go away.
    #[error(
        "restoring {0} failed: the pod with the agent was not gone in time; look at its finalizers and at its node"
    )]
    PodStays(WorkloadRef),
    /// The manifest of a bare pod cannot be read.
    #[error("restoring {0} failed: its manifest in Secret {1} cannot be read: {2}")]
    Manifest(WorkloadRef, String, #[source] serde_json::Error),
}

impl RestoreError {
    /// Whether trying again later may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Request(failure) => failure.is_transient(),
            Self::Contended(_) | Self::PodStays(_) => true,
            Self::Reverse(..) | Self::Manifest(..) => false,
        }
    }
}

/// Puts the workload back, unless the session on it is not the one expected. Idempotent: what is restored already is left alone.
///
/// For a bare pod this waits until the agent's pod is gone and the original has been created. For every other kind it writes the template
/// and returns; see [`crate::replace_pods`] and [`crate::wait_restored`] for what follows.
///
/// # Errors
/// As [`RestoreError`] says; [`RestoreError::is_transient`] tells whether to try again.
pub async fn restore(
    client: &Client,
    workload: &WorkloadRef,
    expect: &Expect,
) -> Result<Restored, RestoreError> {
    if workload.kind == Kind::Pod {
        return restore_pod(client, workload, expect).await;
    }
    let api = workload.api(client.clone());
    let parameters =
        PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let mut refused_at: Option<Value> = None;
    for _ in 0..ATTEMPTS {
        let Some(value) = workload_value(client, workload).await? else {
            return Ok(Restored::WorkloadGone);
        };
        if let Some(by) = other_session(&value, expect) {
            return Ok(Restored::TakenOver { by });
        }
        let reversal =
            reverse(&value).map_err(|error| RestoreError::Reverse(workload.clone(), error))?;
        let Some(patch) = reversal.patch else { return Ok(Restored::NothingToDo) };
        let patch: Patch<()> = Patch::Json(JsonPatch(patch.0));
        let error = match api.patch(&workload.name, &parameters, &patch).await {
            Ok(_) => {
                return Ok(Restored::Restored {
                    session: reversal.session.map(|record| record.id).unwrap_or_default(),
                    kept_from_others: reversal.overwritten_by_others,
                });
            }
            Err(error) => error,
        };
        // 404: deleted since. 409, 422: written since, unless the version is the one that was refused before, and the server means it.
        let version = value.pointer("/metadata/resourceVersion").cloned();
        let again = match code(&error) {
            Some(404 | 409) => true,
            Some(422) => version != refused_at,
            _ => false,
        };
        if !again {
            return Err(RequestError::new(format!("restoring {workload}"), error).into());
        }
        refused_at = version;
    }
    Err(RestoreError::Contended(workload.clone()))
}

fn other_session(value: &Value, expect: &Expect) -> Option<Box<SessionRecord>> {
    let Expect::Session(ours) = expect else { return None };
    is_installed(value).filter(|record| record.id != *ours && record.id != "unknown").map(Box::new)
}

async fn restore_pod(
    client: &Client,
    workload: &WorkloadRef,
    expect: &Expect,
) -> Result<Restored, RestoreError> {
    let api = pods_api(client, &workload.namespace);
    for _ in 0..ATTEMPTS {
        let pod = workload_value(client, workload).await?;
        if let Some(by) = pod.as_ref().and_then(|pod| other_session(pod, expect)) {
            return Ok(Restored::TakenOver { by });
        }
        let installed = pod.as_ref().and_then(is_installed).map(|record| record.id);
        // A pod without a mark is the original, or somebody's new one. But one that is on its way out is neither: the client has deleted
        // the original, and has not lived to create the agent's.
        let leaving = pod.as_ref().is_some_and(is_terminating);
        if pod.is_some() && installed.is_none() && !leaving {
            return Ok(Restored::NothingToDo);
        }
        let session = match (installed, expect) {
            (Some(session), _) => Some(session),
            (None, Expect::Session(session)) => Some(session.clone()),
            (None, Expect::Any) => lease_holder(client, workload).await?,
        };
        let Some(session) = session else { return Ok(Restored::WorkloadGone) };
        let Some(manifest) = kept_manifest(client, workload, pod.as_ref(), &session).await? else {
            return Ok(Restored::WorkloadGone);
        };
        if let Some(pod) = &pod {
            delete_pod(client, workload, pod).await?;
        }
        match api.create(&post_parameters(), &manifest).await {
            Ok(_) => return Ok(Restored::Restored { session, kept_from_others: Vec::new() }),
            // Somebody was quicker; look at what it is.
            Err(error) if code(&error) == Some(409) => {}
            Err(error) => {
                return Err(RequestError::new(format!("creating {workload} again"), error).into());
            }
        }
    }
    Err(RestoreError::Contended(workload.clone()))
}

fn post_parameters() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}

async fn kept_manifest(
    client: &Client,
    workload: &WorkloadRef,
    pod: Option<&Value>,
    session: &str,
) -> Result<Option<DynamicObject>, RestoreError> {
    let name = session_object_name(session);
    let unreadable = |error| RestoreError::Manifest(workload.clone(), name.clone(), error);
    let original = pod.and_then(Original::of).and_then(Result::ok);
    if let Some(manifest) = original.and_then(|original| original.pod) {
        return serde_json::from_value(manifest).map(Some).map_err(unreadable);
    }
    let api = kube::Api::<DynamicObject>::namespaced_with(
        client.clone(),
        &workload.namespace,
        &resource("", "v1", "Secret", "secrets"),
    );
    let secret = api.get_opt(&name).await.map_err(|error| {
        RequestError::new(format!("reading Secret {name}, which keeps {workload}"), error)
    })?;
    let Some(secret) = secret else { return Ok(None) };
    let data: k8s_openapi::ByteString =
        serde_json::from_value(secret.data["data"][POD_MANIFEST_KEY].clone())
            .map_err(unreadable)?;
    serde_json::from_slice(&data.0).map(Some).map_err(unreadable)
}

async fn lease_holder(
    client: &Client,
    workload: &WorkloadRef,
) -> Result<Option<String>, RequestError> {
    let api = kube::Api::<DynamicObject>::namespaced_with(
        client.clone(),
        &workload.namespace,
        &resource("coordination.k8s.io", "v1", "Lease", "leases"),
    );
    let name = lease_name(workload);
    let lease = api
        .get_opt(&name)
        .await
        .map_err(|error| RequestError::new(format!("reading Lease {name}"), error))?;
    Ok(lease.and_then(|lease| lease.data["spec"]["holderIdentity"].as_str().map(str::to_owned)))
}

/// Deletes this very pod and waits until it is gone.
async fn delete_pod(
    client: &Client,
    workload: &WorkloadRef,
    pod: &Value,
) -> Result<(), RestoreError> {
    let api = pods_api(client, &workload.namespace);
    let uid = pod.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned);
    let same = Preconditions { uid: uid.clone(), resource_version: None };
    let failed = |error| RequestError::new(format!("deleting the agent's {workload}"), error);
    match api.delete(&workload.name, &DeleteParams::default().preconditions(same)).await {
        Ok(_) => {}
        Err(error) if matches!(code(&error), Some(404 | 409)) => {}
        Err(error) => return Err(failed(error).into()),
    }
    let gone = until(&api, Selection::named(&workload.name), Instant::now() + POD_GONE, |seen| {
        let still = seen
            .values()
            .any(|pod| pod.pointer("/metadata/uid").and_then(Value::as_str) == uid.as_deref());
        (!still).then_some(())
    });
    match gone.await {
        Ok(()) => Ok(()),
        Err(ObserveError::Deadline(None)) => Err(RestoreError::PodStays(workload.clone())),
        Err(ObserveError::Deadline(Some(error)) | ObserveError::Refused(error)) => {
            Err(failed(error).into())
        }
    }
}
