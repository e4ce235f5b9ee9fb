//! Why a pod does not come: from its status, and from an event about it or about what should make it.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Event, Pod};

/// Why a pod does not come, and how long that is worth waiting for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) message: String,
    pub(super) patience: Patience,
    pub(super) kind: CauseKind,
}

/// Whether a cause may pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Patience {
    /// It is on its way, or may be helped by others (a node that is added): the whole time.
    Whole,
    /// It may have been a hiccup (a registry, a quota that another pod just leaves).
    Short,
    /// It stays so.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CauseKind {
    Image,
    Refused,
    Scheduling,
    Configuration,
    /// The image has no agent in it.
    NoAgent,
    Crash,
    Slow,
}

impl Cause {
    fn new(kind: CauseKind, patience: Patience, message: impl Into<String>) -> Self {
        Self { message: message.into(), patience, kind }
    }

    /// Whether its words are to be told in the place of the other's: those of a pull that failed, not those of one that is not tried again yet.
    pub(super) fn says_more_than(&self, other: &Self) -> bool {
        let backs_off = |cause: &Self| cause.message.contains("Back-off");
        self.patience > other.patience || !backs_off(self) || backs_off(other)
    }

    /// What the user can do.
    pub(super) fn hint(&self) -> String {
        match self.kind {
            CauseKind::Image => "Make the agent's image available to the cluster (`towline agent push REGISTRY/NAME:TAG`, then --agent-image), and name a pull secret where the registry wants one.",
            CauseKind::Refused => "Ask whoever runs the cluster for room in the quota, or for an exception from the policy that is named.",
            CauseKind::Scheduling => "Make room on the cluster's nodes, or give it more time with --timeout where nodes are added on demand.",
            CauseKind::Configuration => "See that everything the pod refers to exists: config maps, secrets, volumes, service account.",
            CauseKind::NoAgent => "Name an image that has the agent with --agent-image; `towline agent push REGISTRY/NAME:TAG` makes one.",
            CauseKind::Crash => "Look at the log of the agent's container with kubectl logs.",
            CauseKind::Slow => "Look at the pods' events, or give them more time with --timeout.",
        }
        .to_owned()
    }
}

/// What the pod's own status says; `None` when it runs, or has nothing to complain of.
pub(super) fn of_pod(pod: &Pod) -> Option<Cause> {
    let status = pod.status.as_ref()?;
    let containers = || {
        let own = status.container_statuses.iter().flatten();
        status.init_container_statuses.iter().flatten().chain(own)
    };
    if let Some(cause) = containers().find_map(of_container) {
        return Some(cause);
    }
    let unscheduled = status
        .conditions
        .iter()
        .flatten()
        .find(|c| c.type_ == "PodScheduled" && c.status == "False");
    if let Some(condition) = unscheduled {
        let message = condition.message.clone().unwrap_or_else(|| "no node takes it".to_owned());
        return Some(Cause::new(
            CauseKind::Scheduling,
            Patience::Whole,
            format!("it is not scheduled: {message}"),
        ));
    }
    if status.phase.as_deref() == Some("Failed") {
        let reason = status.reason.clone().unwrap_or_default();
        let message = status.message.clone().unwrap_or_default();
        return Some(Cause::new(
            CauseKind::Refused,
            Patience::Short,
            format!("the node refused it: {reason} {message}"),
        ));
    }
    None
}

fn of_container(status: &ContainerStatus) -> Option<Cause> {
    let state = status.state.as_ref()?;
    if let Some(cause) = no_agent(status) {
        return Some(cause);
    }
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        let message = waiting.message.as_deref().unwrap_or_default();
        let image = &status.image;
        return match reason {
            "InvalidImageName" | "ErrImageNeverPull" | "ImageInspectError" => Some(Cause::new(
                CauseKind::Image,
                Patience::None,
                format!("image {image}: {reason}: {message}"),
            )),
            "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" => Some(Cause::new(
                CauseKind::Image,
                Patience::Short,
                format!("image {image} cannot be pulled: {message}"),
            )),
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                Some(Cause::new(
                    CauseKind::Configuration,
                    Patience::Short,
                    format!("container {} cannot be created: {message}", status.name),
                ))
            }
            "CrashLoopBackOff" => Some(Cause::new(
                CauseKind::Crash,
                Patience::None,
                format!("container {} ends again and again: {}", status.name, last_end(status)),
            )),
            _ => None,
        };
    }
    let ended = state.terminated.as_ref().filter(|ended| ended.exit_code != 0)?;
    let why = ended.message.clone().or(ended.reason.clone()).unwrap_or_default();
    Some(Cause::new(
        CauseKind::Crash,
        Patience::Short,
        format!("container {} ended with status {}: {why}", status.name, ended.exit_code),
    ))
}

/// The runtime did not find the agent in the image: it is another image.
fn no_agent(status: &ContainerStatus) -> Option<Cause> {
    let states =
        [status.state.as_ref()?, status.last_state.as_ref().unwrap_or(&ContainerState::default())]
            .map(|state| {
                let waiting = state.waiting.as_ref().and_then(|waiting| waiting.message.clone());
                waiting.or(state.terminated.as_ref().and_then(|ended| ended.message.clone()))
            });
    let words = states.into_iter().flatten().find(|words| {
        words.contains("/towline-agent") && words.contains("no such file or directory")
    })?;
    let message = format!("image {} is not the agent's: {words}", status.image);
    Some(Cause::new(CauseKind::NoAgent, Patience::None, message))
}

fn last_end(status: &ContainerStatus) -> String {
    let ended = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    ended.map_or_else(
        || "its status does not say why".to_owned(),
        |ended| {
            let why = ended.message.clone().or(ended.reason.clone()).unwrap_or_default();
            format!("status {}: {why}", ended.exit_code)
        },
    )
}

/// What an event says against the pod that it is about, or that its object was to make.
pub(super) fn of_event(event: &Event) -> Option<Cause> {
    let message = event.message.clone().unwrap_or_default();
    match event.reason.as_deref()? {
        // A StatefulSet's next pod, while the one before of that name is not quite gone.
        "FailedCreate" if message.contains("try again") || message.contains("is being deleted") => {
            None
        }
        "FailedCreate" => Some(Cause::new(
            CauseKind::Refused,
            Patience::Short,
            format!("the pod is refused: {message}"),
        )),
        "FailedScheduling" => Some(Cause::new(
            CauseKind::Scheduling,
            Patience::Whole,
            format!("it is not scheduled: {message}"),
        )),
        "FailedMount" | "FailedAttachVolume" => Some(Cause::new(
            CauseKind::Configuration,
            Patience::Whole,
            format!("a volume is missing: {message}"),
        )),
        "FailedCreatePodSandBox" => Some(Cause::new(
            CauseKind::Configuration,
            Patience::Whole,
            format!("the node cannot start it: {message}"),
        )),
        // The pull's own words; the container's status has them too, but not when it backs off.
        "Failed" if message.contains("pull") => {
            Some(Cause::new(CauseKind::Image, Patience::Short, message))
        }
        _ => None,
    }
}

/// When nothing complains.
pub(super) fn slow() -> Cause {
    Cause::new(CauseKind::Slow, Patience::Whole, "nothing says why")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: Value) -> Option<Cause> {
        of_pod(&serde_json::from_value(json!({"metadata": {}, "status": status})).unwrap())
    }

    fn container(state: Value) -> Value {
        json!({"name": "c", "image": "i:1", "imageID": "", "ready": false, "restartCount": 0, "state": state})
    }

    #[test]
    fn an_image_that_cannot_be_pulled_is_told_with_the_registrys_words() {
        let waiting = json!({"waiting": {"reason": "ErrImagePull", "message": "not found"}});
        let cause = pod(json!({"containerStatuses": [container(waiting)]})).unwrap();
        assert_eq!((cause.kind, cause.patience), (CauseKind::Image, Patience::Short));
        assert_eq!(cause.message, "image i:1 cannot be pulled: not found");
    }

    #[test]
    fn a_pod_that_is_coming_has_no_cause() {
        let creating = json!({"waiting": {"reason": "ContainerCreating"}});
        assert_eq!(
            pod(json!({"phase": "Pending", "containerStatuses": [container(creating)]})),
            None
        );
        assert_eq!(pod(json!({"containerStatuses": [container(json!({"running": {}}))]})), None);
        assert_eq!(
            pod(json!({"containerStatuses": [container(json!({"terminated": {"exitCode": 0}}))]})),
            None
        );
    }

    #[test]
    fn another_image_is_told_from_an_agent_that_fails() {
        let looping = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}});
        let ended = |message: &str| {
            let mut status = container(looping.clone());
            status["lastState"] = json!({"terminated": {"exitCode": 128, "reason": "StartError", "message": message}});
            pod(json!({"containerStatuses": [status]})).unwrap()
        };
        let other =
            ended(r#"exec: "/towline-agent": stat /towline-agent: no such file or directory"#);
        assert_eq!((other.kind, other.patience), (CauseKind::NoAgent, Patience::None));
        assert!(other.message.contains("image i:1 is not the agent's"), "{}", other.message);
        assert_eq!(ended("panicked").kind, CauseKind::Crash);
    }

    #[test]
    fn no_room_is_told() {
        let condition = json!({"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"});
        let cause = pod(json!({"conditions": [condition]})).unwrap();
        assert_eq!(cause.kind, CauseKind::Scheduling);
        assert!(cause.message.contains("0/1 nodes"));
    }

    #[test]
    fn a_quota_speaks_through_the_controllers_events() {
        let event = |reason: &str, message: &str| -> Event {
            serde_json::from_value(json!({
                "metadata": {}, "reason": reason, "message": message,
                "involvedObject": {"kind": "ReplicaSet", "name": "orders-abc"},
                "lastTimestamp": "2026-01-01T00:00:00Z",
            }))
            .unwrap()
        };
        let quota = event("FailedCreate", "exceeded quota: small");
        assert_eq!(of_event(&quota).unwrap().kind, CauseKind::Refused);
        assert_eq!(of_event(&event("Killing", "")), None);
    }
}
