//! How a session stands with the cluster: decided from what is read, by functions that ask nothing themselves.

use serde_json::Value;
use towline_workload::{SessionRecord, is_installed, still_ours};

use super::lease::Holder;

/// What is true of the workload.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing {
    /// The agent is there and the lease is ours.
    Ours,
    /// The agent is there; the lease is gone, and can be had again.
    LeaseGone,
    /// Somebody has written over the agent.
    Overwritten { by: Option<String>, fields: Vec<String> },
    /// Another session has it.
    TakenOver { by: Option<SessionRecord> },
    /// It was put back while we were away, or by somebody's `towline restore`.
    PutBack,
    /// It is not there any more.
    Deleted,
}

/// `base` is the workload before the session.
pub(super) fn judge(
    workload: Option<&Value>,
    base: &Value,
    lease: &Holder,
    session: &str,
) -> Standing {
    let Some(workload) = workload else { return Standing::Deleted };
    match is_installed(workload) {
        Some(record) if record.id != session => Standing::TakenOver { by: Some(record) },
        Some(_) if !still_ours(workload, session) => overwritten(workload, base),
        Some(_) => match lease {
            Holder::Us => Standing::Ours,
            Holder::Nobody => Standing::LeaseGone,
            Holder::Other { record, .. } => Standing::TakenOver { by: record.as_deref().cloned() },
        },
        None => match lease {
            Holder::Other { record, .. } => Standing::TakenOver { by: record.as_deref().cloned() },
            // Restoring writes the workload first and deletes the lease last, so the lease may still be there.
            Holder::Us | Holder::Nobody if same_template(workload, base) => Standing::PutBack,
            Holder::Nobody => Standing::PutBack,
            Holder::Us => overwritten(workload, base),
        },
    }
}

fn same_template(workload: &Value, base: &Value) -> bool {
    let template = |value: &Value| value.pointer("/spec/template/spec").cloned();
    let original =
        towline_workload::reverse(base).map(|reversal| template(&reversal.restored)).ok().flatten();
    // A bare pod is created again: without its mark it is the original.
    template(workload) == original
}

fn overwritten(workload: &Value, base: &Value) -> Standing {
    Standing::Overwritten { by: last_writer(workload), fields: fields(workload, base) }
}

/// The field manager that wrote last, other than us and than a controller's status.
fn last_writer(workload: &Value) -> Option<String> {
    let entries = workload.pointer("/metadata/managedFields")?.as_array()?;
    let others = entries.iter().filter(|entry| {
        entry["manager"] != towline_workload::names::FIELD_MANAGER
            && entry.get("subresource").and_then(Value::as_str).unwrap_or_default().is_empty()
            && entry.pointer("/fieldsV1/f:spec").is_some()
    });
    let last = others.max_by_key(|entry| entry["time"].as_str().unwrap_or_default().to_owned())?;
    last["manager"].as_str().map(str::to_owned)
}

/// The containers' images that are neither what they were nor the agent's, and whatever else of the template differs, by its place.
fn fields(workload: &Value, base: &Value) -> Vec<String> {
    let template = |value: &Value| value.pointer("/spec/template").cloned().unwrap_or_default();
    // What is left of ours is taken out first, so that theirs remains.
    let theirs = towline_workload::reverse(workload)
        .map_or_else(|_| workload.clone(), |reversal| reversal.restored);
    let before =
        towline_workload::reverse(base).map_or_else(|_| base.clone(), |reversal| reversal.restored);
    let difference = json_patch::diff(&template(&before), &template(&theirs));
    difference
        .0
        .iter()
        .map(|step| step.path().to_string().trim_start_matches('/').replace('/', "."))
        .take(20)
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;
    use towline_workload::{AgentContainer, PullPolicy, install, reverse};

    use super::*;

    const SESSION: &str = "0123456789ab";

    fn base() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "orders", "uid": "u", "resourceVersion": "1"},
            "spec": {"template": {"metadata": {"labels": {"app": "orders"}}, "spec": {"containers": [
                {"name": "orders", "image": "orders:1"},
            ]}}},
        })
    }

    fn record(id: &str) -> SessionRecord {
        SessionRecord {
            id: id.into(),
            user: "ada".into(),
            host: "here".into(),
            started: "2026-01-01T00:00:00Z".parse().unwrap(),
            container: "orders".into(),
            tool_version: "1".into(),
        }
    }

    fn redirected(id: &str) -> Value {
        let agent = AgentContainer {
            image: "agent:1".into(),
            image_pull_policy: PullPolicy::IfNotPresent,
            pull_secret: None,
            args: vec!["serve".into()],
        };
        install(&base(), "orders", &agent, &record(id)).unwrap().desired
    }

    fn judged(workload: Option<&Value>, lease: Holder) -> Standing {
        judge(workload, &base(), &lease, SESSION)
    }

    fn other() -> Holder {
        Holder::Other { holder: "b".into(), record: Some(Box::new(record("b"))) }
    }

    #[test]
    fn ours_while_the_agent_and_the_lease_are() {
        assert_eq!(judged(Some(&redirected(SESSION)), Holder::Us), Standing::Ours);
        assert_eq!(judged(Some(&redirected(SESSION)), Holder::Nobody), Standing::LeaseGone);
        assert_eq!(judged(None, Holder::Us), Standing::Deleted);
    }

    #[test]
    fn another_session_is_seen_by_the_workload_or_by_the_lease() {
        let taken = Standing::TakenOver { by: Some(record("b")) };
        assert_eq!(judged(Some(&redirected("b")), Holder::Us), taken);
        assert_eq!(judged(Some(&redirected(SESSION)), other()), taken);
        assert_eq!(judged(Some(&base()), other()), taken);
    }

    #[test]
    fn put_back_is_told_from_deployed_over() {
        let restored = reverse(&redirected(SESSION)).unwrap().restored;
        assert_eq!(judged(Some(&restored), Holder::Us), Standing::PutBack);
        assert_eq!(judged(Some(&base()), Holder::Nobody), Standing::PutBack);
        // `kubectl replace` drops the annotations too.
        let mut replaced = base();
        replaced["spec"]["template"]["spec"]["containers"][0]["image"] = json!("orders:2");
        assert!(matches!(judged(Some(&replaced), Holder::Us), Standing::Overwritten { .. }));
    }

    #[test]
    fn a_deployment_over_the_agent_is_told_with_its_fields_and_its_writer() {
        let mut deployed = redirected(SESSION);
        deployed["spec"]["template"]["spec"]["containers"][0]["image"] = json!("orders:2");
        deployed["metadata"]["managedFields"] = json!([
            {"manager": "towline", "time": "2026-01-01T00:00:03Z", "fieldsV1": {"f:spec": {}}},
            {"manager": "kubectl-set", "time": "2026-01-01T00:00:02Z", "fieldsV1": {"f:spec": {}}},
            {"manager": "kube-controller-manager", "time": "2026-01-01T00:00:04Z", "fieldsV1": {"f:status": {}}},
        ]);
        let expected = Standing::Overwritten {
            by: Some("kubectl-set".into()),
            fields: vec!["spec.containers.0.image".into()],
        };
        assert_eq!(judged(Some(&deployed), Holder::Us), expected);
    }
}
