//! Waiting until nothing of a session is left in the pods, and the workload is in service again.

use kube::Client;
use serde_json::Value;
use tokio::time::Instant;

use super::observe::{ObserveError, Selection, until};
use super::pods::{belongs, pods_api, selection};
use super::request::RequestError;
use super::stuck::hopeless;
use crate::names::agent_pods_selector;
use crate::rollout::{is_original_and_ready, is_terminating};
use crate::{Kind, Rollout, WorkloadRef};

/// What is happening while a workload is put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The workload itself has been written.
    Written {
        /// The fields that somebody else had changed meanwhile.
        kept_from_others: Vec<String>,
    },
    /// A pod was deleted so that the controller makes it anew.
    PodReplaced {
        /// Its name.
        name: String,
    },
    /// Pods with the agent are still there.
    AgentsLeft {
        /// How many.
        count: usize,
    },
    /// The workload's own pods are coming into service.
    Ready {
        /// How many are.
        ready: usize,
        /// How many are wanted.
        wanted: usize,
    },
    /// What the session left in the namespace is being removed.
    Sweeping,
}

/// The workload did not come back into service.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// Not in time.
    #[error(
        "{workload} has been restored, but is not back in service: {still}; its pods' events say why"
    )]
    Deadline {
        /// The workload.
        workload: WorkloadRef,
        /// What is missing.
        still: String,
    },
    /// The workload's own pods have trouble that is not the session's.
    #[error("{workload} has been restored, but its own pods do not become ready: {why}")]
    OwnPods {
        /// The workload.
        workload: WorkloadRef,
        /// What troubles one of them.
        why: String,
    },
    /// A request failed.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// Waits until no pod has the session's agent but those that are on their way out, the controller has seen the workload as it is now, and as
/// many pods as it wants are Ready. A pod on its way out takes no connections any more; how long its object stays is the kubelet's affair.
/// A workload that does not exist (any more) only has to lose its agents.
///
/// # Errors
/// As [`WaitError`] says. Requests that fail for a while are made again until the deadline. Pods that have trouble of their own are not waited for.
pub async fn wait_restored(
    client: &Client,
    workload: &WorkloadRef,
    session: &str,
    deadline: Instant,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), WaitError> {
    let back = async {
        agents_gone(client, workload, session, deadline, progress).await?;
        let Some(value) = settled(client, workload, deadline).await? else { return Ok(()) };
        in_service(client, workload, &value, deadline, progress).await
    };
    tokio::select! {
        back = back => back,
        why = hopeless(client, workload) => Err(WaitError::OwnPods { workload: workload.clone(), why }),
    }
}

async fn agents_gone(
    client: &Client,
    workload: &WorkloadRef,
    session: &str,
    deadline: Instant,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), WaitError> {
    let pods = pods_api(client, &workload.namespace);
    let mut left = None;
    let gone = until(&pods, Selection::labels(agent_pods_selector(session)), deadline, |seen| {
        let count = seen.values().filter(|pod| !is_terminating(pod)).count();
        if left != Some(count) && count != 0 {
            progress(Progress::AgentsLeft { count });
        }
        left = Some(count);
        (count == 0).then_some(())
    });
    let gone = gone.await;
    let still = || match left {
        Some(1) => "1 pod with the agent is still there".to_owned(),
        Some(count) => format!("{count} pods with the agent are still there"),
        None => "its pods could not be listed".to_owned(),
    };
    gone.map_err(|error| failed(workload, error, still))
}

/// Waits until the controller has acted on the workload; `None` where the workload does not exist.
async fn settled(
    client: &Client,
    workload: &WorkloadRef,
    deadline: Instant,
) -> Result<Option<Value>, WaitError> {
    let api = workload.api(client.clone());
    let mut still = String::new();
    let settled = until(&api, Selection::named(&workload.name), deadline, |seen| {
        let Some(value) = seen.get(&workload.name) else { return Some(None) };
        match unsettled(workload.kind, value) {
            None => Some(Some(value.clone())),
            Some(why) => {
                still = why;
                None
            }
        }
    });
    let settled = settled.await;
    settled.map_err(|error| failed(workload, error, || still))
}

async fn in_service(
    client: &Client,
    workload: &WorkloadRef,
    value: &Value,
    deadline: Instant,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), WaitError> {
    let wanted = Rollout::of(workload.kind, value).replicas as usize;
    let pods = pods_api(client, &workload.namespace);
    let mut count = None;
    let ready = until(&pods, selection(workload, value), deadline, |seen| {
        let own = seen.values().filter(|pod| belongs(workload.kind, value, pod));
        let ready = own.filter(|pod| is_original_and_ready(pod)).count();
        if count != Some(ready) {
            progress(Progress::Ready { ready, wanted });
        }
        count = Some(ready);
        (ready >= wanted).then_some(())
    });
    let ready = ready.await;
    let still = || format!("{} of {wanted} pods are ready", count.unwrap_or(0));
    ready.map_err(|error| failed(workload, error, still))
}

/// What the controller has still to do, as its status says; `None` when it has done all.
fn unsettled(kind: Kind, workload: &Value) -> Option<String> {
    let number = |at: &str| workload.pointer(at).and_then(Value::as_u64).unwrap_or(0);
    if kind == Kind::Pod {
        return None;
    }
    if number("/status/observedGeneration") < number("/metadata/generation") {
        return Some("its controller has not seen the change yet".to_owned());
    }
    let rollout = Rollout::of(kind, workload);
    if rollout.paused {
        return None;
    }
    let wanted = u64::from(rollout.replicas);
    let (updated, of) = match kind {
        Kind::Deployment => (number("/status/updatedReplicas"), wanted),
        Kind::DaemonSet => (number("/status/updatedNumberScheduled"), wanted),
        // With OnDelete a pod that nobody deleted keeps its template, and did so before Towline came.
        Kind::StatefulSet if rollout.replacement == crate::Replacement::Controller => {
            (number("/status/updatedReplicas"), u64::from(rollout.following()))
        }
        Kind::StatefulSet | Kind::ReplicaSet | Kind::Pod => return None,
    };
    let extra = number("/status/replicas").saturating_sub(wanted);
    if kind == Kind::Deployment && extra > 0 {
        return Some(format!("{extra} old pods are still there"));
    }
    (updated < of).then(|| format!("{updated} of {of} pods have been replaced"))
}

fn failed(
    workload: &WorkloadRef,
    error: ObserveError,
    still: impl FnOnce() -> String,
) -> WaitError {
    match error {
        ObserveError::Deadline(None) => {
            WaitError::Deadline { workload: workload.clone(), still: still() }
        }
        ObserveError::Deadline(Some(error)) | ObserveError::Refused(error) => {
            RequestError::new(format!("waiting for the pods of {workload}"), error).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_deployment_is_settled_when_every_pod_is_new_and_no_old_one_is_left() {
        let deployment = |observed: u64, replicas: u64, updated: u64| {
            json!({
                "metadata": {"generation": 4},
                "spec": {"replicas": 2},
                "status": {"observedGeneration": observed, "replicas": replicas, "updatedReplicas": updated},
            })
        };
        let unsettled = |value| unsettled(Kind::Deployment, &value);
        assert!(unsettled(deployment(3, 2, 2)).is_some());
        assert!(unsettled(deployment(4, 3, 2)).is_some());
        assert!(unsettled(deployment(4, 2, 1)).is_some());
        assert_eq!(unsettled(deployment(4, 2, 2)), None);
    }

    #[test]
    fn a_statefulset_is_settled_when_the_pods_from_the_partition_are_new() {
        let set = |strategy: Value, updated: u64| {
            json!({
                "metadata": {"generation": 1},
                "spec": {"replicas": 3, "updateStrategy": strategy},
                "status": {"observedGeneration": 1, "replicas": 3, "updatedReplicas": updated},
            })
        };
        let partition = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}});
        assert!(unsettled(Kind::StatefulSet, &set(partition.clone(), 0)).is_some());
        assert_eq!(unsettled(Kind::StatefulSet, &set(partition, 1)), None);
        assert_eq!(unsettled(Kind::StatefulSet, &set(json!({"type": "OnDelete"}), 0)), None);
    }
}
