//! What stands in the way in the cluster: another session, the workload's own ways, who else keeps it.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodSpec;
use serde_json::Value;
use towline_workload::{Kind, Replacement, Rollout, SessionRecord, WorkloadRef};

use super::Check;
use crate::lease::LeaseState;
use crate::look::age;
use crate::report::Code;

/// Whether another session has the workload, by the annotation on it and by the lease.
pub(super) fn occupied(
    workload: &WorkloadRef,
    installed: Option<&SessionRecord>,
    lease: Option<&LeaseState>,
    take_over: bool,
    now: Timestamp,
) -> Check {
    const TITLE: &str = "free";
    let record = lease.and_then(|lease| lease.record.as_ref()).or(installed);
    let restore =
        format!("towline restore {}/{} -n {}", workload.kind, workload.name, workload.namespace);
    let who = record.map_or_else(
        || "somebody unknown".to_owned(),
        |record| {
            format!(
                "{} on {} since {} ({})",
                record.user,
                record.host,
                record.started.strftime("%F %T UTC"),
                age(record.started, now)
            )
        },
    );
    let (message, fix) = match (lease, installed) {
        (None, None) => return Check::passed(TITLE, format!("No other session is on {workload}.")),
        (Some(lease), _) if !lease.lapsed => (
            format!("{workload} is redirected by {who}."),
            "Ask them to stop, or end their session with --take-over.".to_owned(),
        ),
        (Some(lease), Some(_)) => (
            format!(
                "{workload} is still redirected by {who}, whose client has been gone{}.",
                since(lease, now)
            ),
            format!("Put it back with `{restore}`, or take it over with --take-over."),
        ),
        // Its client went away before it changed anything, so nothing of anybody's is lost by going on.
        (Some(lease), None) => {
            let message = format!(
                "A session of {who} has left its lease and changed nothing; its client has been gone{}. The lease is taken over.",
                since(lease, now)
            );
            return Check::warning(TITLE, message, None);
        }
        (None, Some(_)) => (
            format!("{workload} still has the agent of {who}, whose lease is gone."),
            format!("Put it back with `{restore}`, or take it over with --take-over."),
        ),
    };
    if take_over {
        return Check::warning(TITLE, format!("{message} That session is taken over."), None);
    }
    Check::blocked(Code::Busy, TITLE, message, Some(fix))
}

fn since(lease: &LeaseState, now: Timestamp) -> String {
    lease
        .renewed
        .map(|renewed| format!(" for {}, so that its lease has lapsed", age(renewed, now)))
        .unwrap_or_default()
}

/// What the workload's way to replace its pods means for a session.
pub(super) fn rollout(workload: &WorkloadRef, value: &Value, rollout: &Rollout) -> Vec<Check> {
    const TITLE: &str = "rollout";
    let mut checks = Vec::new();
    match rollout.replacement {
        Replacement::Recreation => checks.push(Check::warning(
            TITLE,
            "The pod belongs to no controller: it is deleted and created again under its name, now and at the end.",
            None,
        )),
        Replacement::Deletion => checks.push(Check::warning(
            TITLE,
            format!("{workload} does not replace its pods by itself: Towline deletes them one after the other, now and at the end."),
            None,
        )),
        Replacement::Controller if value["spec"]["strategy"]["type"] == "Recreate" => checks.push(Check::warning(
            TITLE,
            format!("{workload} has the strategy Recreate: it is down for a moment, now and at the end."),
            None,
        )),
        Replacement::Controller => {}
    }
    if let Some(message) = limited_to(rollout) {
        checks.push(Check::warning(
            TITLE,
            message,
            Some("Lower the partition if all pods are meant.".to_owned()),
        ));
    }
    checks
}

/// Which pods get the agent, where it is not all.
pub(super) fn limited_to(rollout: &Rollout) -> Option<String> {
    let ordinals = rollout.limited_to?;
    Some(format!(
        "Only {} of {} pods get the agent, those from ordinal {} on: the update strategy's partition holds the others back.",
        ordinals.count, rollout.replicas, ordinals.from
    ))
}

/// Who else writes the workload, and may undo what Towline does.
pub(super) fn keepers(value: &Value) -> Vec<Check> {
    let metadata = &value["metadata"];
    let argo =
        ["/labels/argocd.argoproj.io~1instance", "/annotations/argocd.argoproj.io~1tracking-id"];
    let flux =
        ["/labels/kustomize.toolkit.fluxcd.io~1name", "/labels/helm.toolkit.fluxcd.io~1name"];
    let marked = |marks: [&str; 2]| marks.iter().any(|mark| metadata.pointer(mark).is_some());
    let mut keepers = Vec::new();
    if let Some(owner) = crate::target::managed_by(value) {
        keepers.push((owner, "Stop its operator from reconciling it for the time of the session."));
    }
    if marked(argo) {
        keepers.push(("Argo CD".to_owned(), "Switch self-heal off for the time of the session."));
    }
    if marked(flux) {
        keepers.push(("Flux".to_owned(), "Suspend it for the time of the session."));
    }
    let check = |(keeper, fix): (String, &str)| {
        Check::warning(
            "kept by",
            format!(
                "{keeper} keeps this workload, and may undo the change: the session would end."
            ),
            Some(fix.to_owned()),
        )
    };
    keepers.into_iter().map(check).collect()
}

/// What the pod's own settings mean for a session.
pub(super) fn pod(spec: &PodSpec, kind: Kind, control_port: u16) -> Vec<Check> {
    let mut checks = Vec::new();
    if spec.host_network == Some(true) {
        checks.push(Check::warning(
            "host network",
            format!("The pod has its node's network: the agent listens on the node itself, and its port {control_port} must be free there."),
            None,
        ));
    }
    let windows = spec
        .node_selector
        .as_ref()
        .and_then(|labels| labels.get("kubernetes.io/os"))
        .is_some_and(|os| os == "windows");
    if windows {
        let message =
            format!("The {kind}'s pods run on Windows nodes, for which there is no agent.");
        checks.push(Check::blocked(Code::TargetUnsuitable, "operating system", message, None));
    }
    checks
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
