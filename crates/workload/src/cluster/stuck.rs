//! Whether a workload's own pods will not become Ready, so that waiting for them is of no use: it was broken before the session, or its node is full.

use std::time::Duration;

use kube::Client;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::observe::until;
use super::pods::{belongs, pods_api, selection, workload_value};
use crate::rollout::{is_ready, is_terminating, session_of};
use crate::{WorkloadRef, is_installed};

/// How often the pods are judged. A pod that ends again and again seems well in between.
const LOOK: Duration = Duration::from_secs(5);

/// So many judgements in a row must be the same.
const IN_A_ROW: usize = 3;

/// Resolves when the pods that are not Ready have had trouble of their own for 15 s: with what troubles one of them. Otherwise never.
pub(super) async fn hopeless(client: &Client, workload: &WorkloadRef) -> String {
    let mut in_a_row = 0;
    loop {
        let Ok(Some(value)) = workload_value(client, workload).await else {
            sleep(LOOK).await;
            continue;
        };
        let api = pods_api(client, &workload.namespace);
        let mut verdict = None;
        let look = until(&api, selection(workload, &value), Instant::now() + LOOK, |seen| {
            let own = seen.values().filter(|pod| belongs(workload.kind, &value, pod));
            verdict = troubles(own);
            None::<()>
        });
        // A request that was refused ends before its time.
        let (_, ()) = tokio::join!(look, sleep(LOOK));
        match verdict {
            Some(why) if in_a_row + 1 == IN_A_ROW => return why,
            Some(_) => in_a_row += 1,
            None => in_a_row = 0,
        }
    }
}

/// What troubles the workload's own pods, if none of those that are not Ready is simply on its way.
fn troubles<'a>(pods: impl Iterator<Item = &'a Value>) -> Option<String> {
    let own = pods.filter(|pod| session_of(pod).is_none() && is_installed(pod).is_none());
    let missing = own.filter(|pod| !is_terminating(pod) && !is_ready(pod));
    let reasons: Option<Vec<String>> = missing.map(trouble).collect();
    reasons?.into_iter().next()
}

/// What keeps a pod from becoming Ready; `None` when nothing is known to.
fn trouble(pod: &Value) -> Option<String> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let all = |at: &str| pod.pointer(at).and_then(Value::as_array).into_iter().flatten();
    let name = text(&pod["metadata"], "name");
    let mut conditions = all("/status/conditions");
    let unscheduled = conditions.find(|c| c["type"] == "PodScheduled" && c["status"] == "False");
    if let Some(condition) = unscheduled {
        return Some(format!("pod {name} is not scheduled: {}", text(condition, "message")));
    }
    let mut containers =
        all("/status/initContainerStatuses").chain(all("/status/containerStatuses"));
    containers.find_map(|container| {
        let waiting = &container["state"]["waiting"];
        let reason = text(waiting, "reason");
        // These two are passed through by every pod.
        if !reason.is_empty()
            && !["ContainerCreating", "PodInitializing"].contains(&reason.as_str())
        {
            return Some(format!("pod {name}: {reason}: {}", text(waiting, "message")));
        }
        let restarts = container["restartCount"].as_u64().unwrap_or(0);
        // The first end tells enough: nothing is lost by not waiting for a pod that gets well after all.
        let ends = restarts >= 1 && container["ready"] != true;
        ends.then(|| {
            format!("pod {name}: container {} ended {restarts} times", text(container, "name"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(status: Value) -> Value {
        json!({"metadata": {"name": "web-1"}, "status": status})
    }

    fn container(state: Value, restarts: u64) -> Value {
        json!({"containerStatuses": [{"name": "main", "ready": false, "restartCount": restarts, "state": state}]})
    }

    #[test]
    fn trouble_is_told_from_coming() {
        let waiting = |reason: &str| json!({"waiting": {"reason": reason, "message": "words"}});
        for well in [
            json!({}),
            container(waiting("ContainerCreating"), 0),
            container(json!({"running": {}}), 0),
            json!({"conditions": [{"type": "PodScheduled", "status": "True"}]}),
        ] {
            assert_eq!(trouble(&pod(well.clone())), None, "{well}");
        }
        for (status, words) in [
            (container(waiting("CrashLoopBackOff"), 5), "CrashLoopBackOff: words"),
            (container(waiting("ImagePullBackOff"), 0), "ImagePullBackOff: words"),
            (container(json!({"running": {}}), 2), "container main ended 2 times"),
            (
                json!({"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}]}),
                "not scheduled: 0/1 nodes",
            ),
        ] {
            let told = trouble(&pod(status.clone())).unwrap_or_default();
            assert!(told.contains(words), "{status}: {told}");
        }
    }

    #[test]
    fn one_pod_on_its_way_is_hope() {
        let broken = pod(container(json!({"waiting": {"reason": "CrashLoopBackOff"}}), 5));
        let ready = pod(json!({"conditions": [{"type": "Ready", "status": "True"}]}));
        let mut agents = broken.clone();
        agents["metadata"]["labels"] = json!({"towline.dev/session": "0123456789ab"});
        assert!(troubles([&broken, &ready].into_iter()).is_some());
        assert_eq!(troubles([&broken, &pod(json!({}))].into_iter()), None);
        assert_eq!(troubles([&agents, &ready].into_iter()), None);
        assert_eq!(troubles(std::iter::empty()), None);
    }
}
