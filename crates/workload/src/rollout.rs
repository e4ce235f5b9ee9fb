//! How the pods of a workload come to follow its template.

use serde_json::Value;

use crate::names::SESSION_LABEL;
use crate::original::label_pointer;
use crate::{Kind, is_installed};

/// What is known of a workload's way to replace its pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// The workload's kind.
    pub kind: Kind,
    /// How many pods it wants.
    pub replicas: u32,
    /// Who replaces the pods when the template changes.
    pub replacement: Replacement,
    /// Only these pods follow the template, because a StatefulSet's partition holds the others back: a pod below the partition comes back
    /// with the old template even when it is deleted. `None`: all follow.
    pub limited_to: Option<Ordinals>,
    /// A paused Deployment: no pod follows the template until it is resumed.
    pub paused: bool,
}

/// Who replaces the pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// The controller, by itself.
    Controller,
    /// The controller makes a new pod only where one is missing (`OnDelete`, or a ReplicaSet), so Towline deletes the pods, one after
    /// the other.
    Deletion,
    /// Nobody: a bare pod is deleted and created by Towline.
    Recreation,
}

/// Ordinals of a StatefulSet's pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ordinals {
    /// The first.
    pub from: u32,
    /// How many there are, possibly none.
    pub count: u32,
}

/// Where the pods are to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To pods with the agent.
    ToAgent,
    /// Back to pods without it.
    ToOriginal,
}

/// One pod; the `uid` tells it from a later pod of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodIdentity {
    /// The name.
    pub name: String,
    /// The uid.
    pub uid: String,
}

impl Rollout {
    /// Reads the facts from the workload.
    pub fn of(kind: Kind, workload: &Value) -> Self {
        let number = |at: &str| {
            workload.pointer(at).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok())
        };
        let replicas = match kind {
            Kind::Pod => 1,
            Kind::DaemonSet => number("/status/desiredNumberScheduled").unwrap_or(0),
            _ => number("/spec/replicas").unwrap_or(1),
        };
        let on_delete = workload.pointer("/spec/updateStrategy/type").and_then(Value::as_str)
            == Some("OnDelete");
        let replacement = match kind {
            Kind::Pod => Replacement::Recreation,
            Kind::ReplicaSet => Replacement::Deletion,
            _ if on_delete => Replacement::Deletion,
            _ => Replacement::Controller,
        };
        let partition = number("/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
        let partitioned = kind == Kind::StatefulSet && !on_delete && partition > 0;
        let start = number("/spec/ordinals/start").unwrap_or(0);
        Self {
            kind,
            replicas,
            replacement,
            limited_to: partitioned.then(|| Ordinals {
                from: start + partition,
                count: replicas.saturating_sub(partition),
            }),
            paused: kind == Kind::Deployment
                && workload.pointer("/spec/paused") == Some(&Value::Bool(true)),
        }
    }

    /// Whether the pod follows the template, by its ordinal.
    fn reaches(&self, pod: &Value) -> bool {
        self.limited_to.is_none_or(|limit| ordinal(pod).is_some_and(|at| at >= limit.from))
    }

    /// How many pods follow the template.
    pub fn following(&self) -> u32 {
        self.limited_to.map_or(self.replicas, |ordinals| ordinals.count)
    }
}

/// The pods that must be deleted for the workload to follow its template, in the order in which to do it.
///
/// `pods` are the workload's own ([`crate::pods_of`]). Where the controller replaces pods by itself there is nothing to do, but for one
/// thing: a StatefulSet waits for a broken pod to become Ready before it replaces it, for ever, even when the template has been mended
/// ("Forced rollback" in Kubernetes' documentation of StatefulSets). So those are deleted too, both ways: the workload may have been broken before.
pub fn pods_to_replace(
    rollout: &Rollout,
    pods: &[Value],
    session: &str,
    direction: Direction,
) -> Vec<PodIdentity> {
    let mut chosen: Vec<&Value> = pods
        .iter()
        .filter(|pod| !is_terminating(pod))
        .filter(|pod| match (rollout.replacement, direction) {
            (Replacement::Recreation, _) => false,
            (Replacement::Deletion, Direction::ToAgent) => session_of(pod) != Some(session),
            (Replacement::Deletion, Direction::ToOriginal) => session_of(pod) == Some(session),
            (Replacement::Controller, _) if rollout.kind != Kind::StatefulSet || is_ready(pod) => {
                false
            }
            (Replacement::Controller, Direction::ToAgent) => {
                session_of(pod) != Some(session) && rollout.reaches(pod)
            }
            (Replacement::Controller, Direction::ToOriginal) => session_of(pod) == Some(session),
        })
        .collect();
    // As the StatefulSet's controller does it: from the largest ordinal down.
    chosen.sort_by_key(|pod| std::cmp::Reverse(ordinal(pod)));
    chosen.into_iter().filter_map(identity).collect()
}

/// The session whose agent runs in the pod.
pub(crate) fn session_of(pod: &Value) -> Option<&str> {
    pod.pointer(&label_pointer(SESSION_LABEL))?.as_str()
}

pub(crate) fn is_terminating(pod: &Value) -> bool {
    pod.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null())
}

/// Whether the pod's condition Ready is true.
pub(crate) fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    let ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    conditions.is_some_and(|conditions| conditions.iter().any(ready))
}

/// Whether the pod is one of the workload's own, in service, and without an agent.
pub(crate) fn is_original_and_ready(pod: &Value) -> bool {
    let done = pod.pointer("/status/phase").and_then(Value::as_str) == Some("Succeeded");
    !is_terminating(pod)
        && session_of(pod).is_none()
        && is_installed(pod).is_none()
        && (is_ready(pod) || done)
}

fn identity(pod: &Value) -> Option<PodIdentity> {
    Some(PodIdentity {
        name: pod.pointer("/metadata/name")?.as_str()?.to_owned(),
        uid: pod.pointer("/metadata/uid")?.as_str()?.to_owned(),
    })
}

fn ordinal(pod: &Value) -> Option<u32> {
    pod.pointer("/metadata/name")?.as_str()?.rsplit_once('-')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, session: Option<&str>, ready: &str) -> Value {
        let mut pod = json!({
            "metadata": {"name": name, "uid": format!("uid-{name}"), "labels": {"app": "x"}},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        });
        if let Some(session) = session {
            pod["metadata"]["labels"][SESSION_LABEL] = json!(session);
        }
        pod
    }

    fn names(pods: &[PodIdentity]) -> Vec<&str> {
        pods.iter().map(|pod| pod.name.as_str()).collect()
    }

    #[test]
    fn a_partition_limits_a_statefulset_to_the_ordinals_from_it() {
        let set = json!({"spec": {"replicas": 5, "updateStrategy": {
            "type": "RollingUpdate", "rollingUpdate": {"partition": 3}}}});
        let rollout = Rollout::of(Kind::StatefulSet, &set);
        assert_eq!(rollout.limited_to, Some(Ordinals { from: 3, count: 2 }));
        assert_eq!(rollout.following(), 2);
        assert_eq!(rollout.replacement, Replacement::Controller);
    }

    #[test]
    fn a_partition_means_nothing_with_on_delete() {
        let set = json!({"spec": {"updateStrategy": {
            "type": "OnDelete", "rollingUpdate": {"partition": 3}}}});
        let rollout = Rollout::of(Kind::StatefulSet, &set);
        assert_eq!((rollout.limited_to, rollout.replicas), (None, 1));
        assert_eq!(rollout.replacement, Replacement::Deletion);
    }

    #[test]
    fn a_deployment_replaces_its_pods_unless_it_is_paused() {
        let rollout = Rollout::of(Kind::Deployment, &json!({"spec": {"paused": true}}));
        assert!(rollout.paused);
        let pods = [pod("a", Some("s"), "False")];
        assert!(pods_to_replace(&rollout, &pods, "s", Direction::ToOriginal).is_empty());
    }

    #[test]
    fn a_replicaset_is_helped_both_ways() {
        let rollout = Rollout::of(Kind::ReplicaSet, &json!({"spec": {"replicas": 3}}));
        let mut dying = pod("c", None, "True");
        dying["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        let pods = [pod("a", None, "True"), pod("b", Some("s"), "True"), dying];
        let replace = |direction| pods_to_replace(&rollout, &pods, "s", direction);
        assert_eq!(names(&replace(Direction::ToAgent)), ["a"]);
        assert_eq!(names(&replace(Direction::ToOriginal)), ["b"]);
    }

    #[test]
    fn a_statefulsets_broken_pods_are_replaced_from_the_top() {
        let rollout = Rollout::of(Kind::StatefulSet, &json!({"spec": {"replicas": 12}}));
        let pods = [
            pod("db-2", Some("s"), "False"),
            pod("db-10", Some("s"), "False"),
            pod("db-11", Some("s"), "True"),
            pod("db-3", None, "False"),
        ];
        let chosen = pods_to_replace(&rollout, &pods, "s", Direction::ToOriginal);
        assert_eq!(names(&chosen), ["db-10", "db-2"]);
        let replace = |rollout| pods_to_replace(rollout, &pods, "s", Direction::ToAgent);
        assert_eq!(names(&replace(&rollout)), ["db-3"]);
        let held_back = Rollout { limited_to: Some(Ordinals { from: 4, count: 8 }), ..rollout };
        assert!(replace(&held_back).is_empty());
    }
}
