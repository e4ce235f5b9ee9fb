//! Deleting pods one after the other, where the controller does not replace them by itself.

use std::time::Duration;

use kube::Client;
use kube::api::{DeleteParams, Preconditions};
use serde_json::Value;
use tokio::time::Instant;

use super::observe::{ObserveError, until};
use super::pods::{belongs, pods_api, pods_of, selection, workload_value};
use super::request::{RequestError, code};
use super::wait::{Progress, WaitError};
use crate::rollout::{is_original_and_ready, is_ready, is_terminating, session_of};
use crate::{Direction, PodIdentity, Rollout, WorkloadRef, pods_to_replace};

/// How long the next pod waits for the one before it to be Ready. A workload whose own pods are not Ready must be restored all the same.
const PER_POD: Duration = Duration::from_secs(30);

/// Deletes the pods of [`pods_to_replace`], the next when the one before is gone and its successor is Ready (or after 30 s).
///
/// # Errors
/// As [`WaitError`] says.
pub async fn replace_pods(
    client: &Client,
    workload: &WorkloadRef,
    session: &str,
    direction: Direction,
    deadline: Instant,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), WaitError> {
    let Some(value) = workload_value(client, workload).await? else { return Ok(()) };
    let rollout = Rollout::of(workload.kind, &value);
    let pods = pods_of(client, workload, &value).await?;
    let arrived = |pod: &Value| has_arrived(pod, session, direction);
    let before = pods.iter().filter(|pod| arrived(pod)).count();
    for (done, pod) in pods_to_replace(&rollout, &pods, session, direction).iter().enumerate() {
        delete(client, workload, pod).await?;
        progress(Progress::PodReplaced { name: pod.name.clone() });
        let enough = (before + done + 1).min(rollout.replicas as usize);
        let limit = deadline.min(Instant::now() + PER_POD);
        let api = pods_api(client, &workload.namespace);
        let replaced = until(&api, selection(workload, &value), limit, |seen| {
            let own = || seen.values().filter(|pod| belongs(workload.kind, &value, pod));
            let left = own().any(|other| other["metadata"]["uid"] == pod.uid.as_str());
            (!left && own().filter(|pod| arrived(pod)).count() >= enough).then_some(())
        });
        match replaced.await {
            Ok(()) => {}
            Err(ObserveError::Deadline(None)) if limit < deadline => {}
            Err(ObserveError::Deadline(None)) => {
                return Err(WaitError::Deadline {
                    workload: workload.clone(),
                    still: format!("the successor of pod {} is not ready", pod.name),
                });
            }
            Err(ObserveError::Deadline(Some(error)) | ObserveError::Refused(error)) => {
                let doing = format!("watching the pods of {workload}");
                return Err(RequestError::new(doing, error).into());
            }
        }
    }
    Ok(())
}

fn has_arrived(pod: &Value, session: &str, direction: Direction) -> bool {
    match direction {
        Direction::ToAgent => {
            session_of(pod) == Some(session) && is_ready(pod) && !is_terminating(pod)
        }
        Direction::ToOriginal => is_original_and_ready(pod),
    }
}

async fn delete(
    client: &Client,
    workload: &WorkloadRef,
    pod: &PodIdentity,
) -> Result<(), RequestError> {
    let api = pods_api(client, &workload.namespace);
    let same = Preconditions { uid: Some(pod.uid.clone()), resource_version: None };
    match api.delete(&pod.name, &DeleteParams::default().preconditions(same)).await {
        Ok(_) => Ok(()),
        // Gone, or another pod of that name: as wanted.
        Err(error) if matches!(code(&error), Some(404 | 409)) => Ok(()),
        Err(error) => {
            Err(RequestError::new(format!("deleting pod {} of {workload}", pod.name), error))
        }
    }
}
