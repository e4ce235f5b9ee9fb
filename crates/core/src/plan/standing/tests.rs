use super::*;
use serde_json::json;

fn orders() -> WorkloadRef {
    WorkloadRef { kind: Kind::Deployment, namespace: "shop".into(), name: "orders".into() }
}

fn now() -> Timestamp {
    "2026-01-02T03:14:05Z".parse().unwrap()
}

fn record() -> SessionRecord {
    SessionRecord {
        id: "0123456789ab".into(),
        user: "ada".into(),
        host: "lovelace".into(),
        started: "2026-01-02T03:04:05Z".parse().unwrap(),
        container: "orders".into(),
        tool_version: "0.1.0".into(),
    }
}

fn lease(lapsed: bool) -> LeaseState {
    let renewed = Some("2026-01-02T03:11:05Z".parse().unwrap());
    LeaseState {
        holder: "0123456789ab".into(),
        record: Some(record()),
        renewed,
        seconds: 120,
        lapsed,
    }
}

#[test]
fn another_session_is_told_with_who_where_and_since_when() {
    let checks: Vec<Check> = [
        (None, None, false),
        (Some(record()), Some(lease(false)), false),
        (Some(record()), Some(lease(false)), true),
        (Some(record()), Some(lease(true)), false),
        (None, Some(lease(true)), false),
        (Some(record()), None, false),
    ]
    .into_iter()
    .map(|(installed, lease, take_over)| {
        occupied(&orders(), installed.as_ref(), lease.as_ref(), take_over, now())
    })
    .collect();
    insta::assert_yaml_snapshot!(checks);
}

#[test]
fn the_workloads_own_ways_are_told() {
    let of = |kind, value: Value| {
        let workload = WorkloadRef { kind, ..orders() };
        rollout(&workload, &value, &Rollout::of(kind, &value))
            .into_iter()
            .map(|check| check.message)
            .collect::<Vec<_>>()
    };
    assert!(of(Kind::Deployment, json!({"spec": {}})).is_empty());
    let recreate = of(Kind::Deployment, json!({"spec": {"strategy": {"type": "Recreate"}}}));
    assert!(recreate[0].contains("down for a moment"), "{recreate:?}");
    assert!(of(Kind::ReplicaSet, json!({"spec": {}}))[0].contains("one after the other"));
    assert!(of(Kind::Pod, json!({"spec": {}}))[0].contains("created again"));
    let partition = json!({"spec": {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}});
    assert!(
        of(Kind::StatefulSet, partition)[0]
            .starts_with("Only 1 of 3 pods get the agent, those from ordinal 2 on")
    );
}

#[test]
fn others_who_keep_the_workload_are_told() {
    let keepers = |metadata: Value| {
        keepers(&json!({"metadata": metadata}))
            .into_iter()
            .map(|check| check.message)
            .collect::<Vec<_>>()
    };
    assert!(keepers(json!({"labels": {"app": "x"}})).is_empty());
    assert!(
        keepers(json!({"labels": {"argocd.argoproj.io/instance": "x"}}))[0].starts_with("Argo CD")
    );
    let owner =
        json!({"ownerReferences": [{"kind": "Prometheus", "name": "main", "controller": true}]});
    assert!(keepers(owner)[0].starts_with("Prometheus 'main'"));
}
