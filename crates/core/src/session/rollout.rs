//! How far the agent has come into the workload's pods.

use serde_json::Value;
use towline_workload::{Kind, Rollout};

use super::agents::session_of;

/// The pods of a workload, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// How many pods are to have the agent.
    pub(super) wanted: usize,
    /// The pods whose agent has its tunnel.
    pub(super) up: Vec<String>,
    /// How many pods without it still take connections.
    pub(super) old: usize,
    /// How many pods have the agent, with or without a tunnel.
    pub(super) agents: usize,
    /// How many pods without it are on their way out.
    pub(super) leaving: usize,
}

impl Progress {
    /// Whether every connection to the workload now comes to this machine.
    pub(super) fn is_complete(&self) -> bool {
        self.up.len() >= self.wanted && self.old == 0
    }

    /// Whether agents may be missing because the pods before them are not gone yet: a DaemonSet, a StatefulSet, `Recreate`.
    pub(super) fn is_held_up(&self) -> bool {
        self.leaving > 0 && self.agents < self.wanted
    }
}

/// Counts. `pods` are those that the workload's selector finds, `up` those with a tunnel.
pub(super) fn progress(
    kind: Kind,
    workload: &Value,
    pods: &[Value],
    session: &str,
    up: &[String],
) -> Progress {
    let rollout = Rollout::of(kind, workload);
    let mut progress = Progress { wanted: rollout.following() as usize, ..Progress::default() };
    for pod in pods.iter().filter(|pod| belongs(kind, workload, pod)) {
        let Some(name) = pod.pointer("/metadata/name").and_then(Value::as_str) else { continue };
        match (session_of(pod) == Some(session), is_alive(pod)) {
            (true, true) => {
                progress.agents += 1;
                progress.up.extend(up.iter().find(|up| *up == name).cloned());
            }
            (false, true) if follows(&rollout, name) => progress.old += 1,
            (false, false) if is_terminating(pod) => progress.leaving += 1,
            _ => {}
        }
    }
    progress
}

/// Whether the pod takes connections, or will.
fn is_alive(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    !matches!(phase, Some("Succeeded" | "Failed")) && !is_terminating(pod)
}

fn is_terminating(pod: &Value) -> bool {
    pod.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null())
}

/// Whether the workload's controller made the pod: other pods may have the same labels. A Deployment's pods are its replica sets', and those
/// are named after it.
fn belongs(kind: Kind, workload: &Value, pod: &Value) -> bool {
    let owners =
        || pod.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten();
    match kind {
        Kind::Pod => true,
        Kind::Deployment => {
            let name =
                workload.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            owners().any(|owner| {
                let of_set = owner["name"].as_str().and_then(|set| set.strip_prefix(name));
                owner["kind"] == "ReplicaSet" && of_set.is_some_and(|rest| rest.starts_with('-'))
            })
        }
        Kind::StatefulSet | Kind::DaemonSet | Kind::ReplicaSet => {
            owners().any(|owner| Some(&owner["uid"]) == workload.pointer("/metadata/uid"))
        }
    }
}

/// Whether a pod of that name is to get the agent: not below a StatefulSet's partition.
fn follows(rollout: &Rollout, pod: &str) -> bool {
    let Some(ordinals) = rollout.limited_to else { return true };
    let ordinal = pod.rsplit_once('-').and_then(|(_, ordinal)| ordinal.parse::<u32>().ok());
    ordinal.is_none_or(|ordinal| ordinal >= ordinals.from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use towline_workload::names::SESSION_LABEL;

    use super::*;

    fn pod(name: &str, session: Option<&str>) -> Value {
        let labels = session.map_or(json!({}), |session| json!({ SESSION_LABEL: session }));
        json!({
            "metadata": {"name": name, "labels": labels, "ownerReferences": [
                {"uid": "u", "kind": "ReplicaSet", "name": "orders-5f6d"},
            ]},
            "status": {"phase": "Running"},
        })
    }

    fn count(kind: Kind, workload: &Value, pods: &[Value], up: &[&str]) -> Progress {
        let up: Vec<String> = up.iter().map(|&name| name.to_owned()).collect();
        progress(kind, workload, pods, "s", &up)
    }

    #[test]
    fn complete_is_every_tunnel_and_no_old_pod() {
        let deployment =
            json!({"metadata": {"uid": "x", "name": "orders"}, "spec": {"replicas": 2}});
        let mut leaving = pod("old", None);
        let pods = |old: &Value| [pod("a", Some("s")), pod("b", Some("s")), old.clone()];
        let count = |old: &Value, up: &[&str]| count(Kind::Deployment, &deployment, &pods(old), up);
        assert!(!count(&leaving, &["a", "b"]).is_complete());
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(!count(&leaving, &["a"]).is_complete());
        assert!(!count(&leaving, &["a"]).is_held_up());
        assert!(count(&leaving, &["a", "b"]).is_complete());
        let mut foreign = pod("somebodys", None);
        foreign["metadata"]["ownerReferences"] = json!(null);
        assert!(count(&foreign, &["a", "b"]).is_complete());
    }

    #[test]
    fn pods_below_a_partition_stay_and_pods_of_others_do_not_count() {
        let set = json!({"metadata": {"uid": "u"}, "spec": {"replicas": 3, "updateStrategy":
            {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}});
        let mut foreign = pod("else-2", None);
        foreign["metadata"]["ownerReferences"][0]["uid"] = json!("other");
        let pods = [pod("db-0", None), pod("db-1", None), pod("db-2", Some("s")), foreign];
        let progress = count(Kind::StatefulSet, &set, &pods, &["db-2"]);
        assert_eq!(
            progress,
            Progress { wanted: 1, up: vec!["db-2".into()], agents: 1, ..Progress::default() }
        );
    }

    #[test]
    fn an_agent_that_waits_for_the_pod_before_it_is_held_up() {
        let set = json!({"metadata": {"uid": "u"}, "status": {"desiredNumberScheduled": 1}});
        let mut leaving = pod("old", None);
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(count(Kind::DaemonSet, &set, &[leaving], &[]).is_held_up());
    }

    #[test]
    fn a_daemonset_wants_a_pod_on_each_node() {
        let set = json!({"metadata": {"uid": "u"}, "status": {"desiredNumberScheduled": 3}});
        assert_eq!(count(Kind::DaemonSet, &set, &[], &[]).wanted, 3);
    }
}
