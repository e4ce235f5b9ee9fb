//! What rows say.

use serde_json::json;

use super::*;
use crate::view::Tone;

#[test]
fn a_services_readiness_follows_its_pods() {
    let mut tables = Tables::default();
    let spec = json!({"clusterIP": "10.0.0.1", "selector": {"app": "orders"}, "ports": [
        {"port": 80, "targetPort": "http", "name": "web"}, {"port": 90, "targetPort": 90, "protocol": "UDP"}]});
    put(&mut tables, Resource::Pods, a_pod(pod("shop", "one", true)));
    put(&mut tables, Resource::Services, service("orders", spec));
    let row = only(&tables, TableKind::Services);
    assert_eq!((row.ready, row.wanted, row.tone), (Some(1), Some(1), Tone::Good));
    assert_eq!(row.ports, ["web 80→http/TCP", "90/UDP"]);
    assert_eq!(row.target.as_deref(), Some("service/orders"));
    assert_eq!(row.key, "shop/service/orders");

    put(&mut tables, Resource::Pods, a_pod(pod("shop", "two", false)));
    put(&mut tables, Resource::Pods, a_pod(pod("elsewhere", "three", true)));
    let row = only(&tables, TableKind::Services);
    assert_eq!((row.ready, row.wanted, row.tone), (Some(1), Some(2), Tone::Warning));

    let leaving = with(
        pod("shop", "one", true),
        "/metadata/deletionTimestamp",
        json!("2026-01-01T00:00:00Z"),
    );
    put(&mut tables, Resource::Pods, a_pod(leaving));
    let row = only(&tables, TableKind::Services);
    assert_eq!((row.ready, row.wanted, row.tone), (Some(0), Some(1), Tone::Bad));

    let other = with(pod("shop", "two", false), "/metadata/labels", json!({"app": "gateway"}));
    put(&mut tables, Resource::Pods, a_pod(other));
    assert_eq!(only(&tables, TableKind::Services).wanted, Some(0));
}

#[test]
fn a_service_that_cannot_be_redirected_says_why() {
    let mut tables = Tables::default();
    put(
        &mut tables,
        Resource::Services,
        service(
            "a",
            json!({"type": "ExternalName", "externalName": "x.y", "selector": {"a": "b"}}),
        ),
    );
    put(&mut tables, Resource::Services, service("b", json!({"clusterIP": "None"})));
    let rows = rows(&tables, TableKind::Services);
    let kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds, ["ExternalName", "Headless"]);
    assert!(
        rows.iter().all(|row| row.target.is_none() && row.why_not.is_some() && row.ready.is_none())
    );
}

#[test]
fn a_pod_shows_the_deployment_above_its_replica_set_in_either_order() {
    let mut tables = Tables::default();
    let owner = |kind: &str, name: &str| json!([{"kind": kind, "name": name, "controller": true, "apiVersion": "apps/v1", "uid": "u"}]);
    let owned = with(
        pod("shop", "orders-1-x", true),
        "/metadata/ownerReferences",
        owner("ReplicaSet", "orders-1"),
    );
    put(&mut tables, Resource::Pods, a_pod(owned));
    assert_eq!(only(&tables, TableKind::Pods).kind, "replicaset/orders-1");
    let before = tables.revisions();
    let set =
        with(deployment("orders-1"), "/metadata/ownerReferences", owner("Deployment", "orders"));
    put(&mut tables, Resource::Workloads(Kind::ReplicaSet), workload(Kind::ReplicaSet, set));
    assert_ne!(tables.revisions()[2], before[2]);
    let row = only(&tables, TableKind::Pods);
    assert_eq!(
        (row.kind.as_str(), row.restarts, row.node.as_deref()),
        ("deployment/orders", Some(2), Some("n"))
    );
    assert_eq!(
        (row.containers, row.ports),
        (vec!["a".to_owned()], vec!["http 8080/TCP".to_owned()])
    );
    assert_eq!(row.target.as_deref(), Some("pod/orders-1-x"));
    // Neither the pod nor the set is a workload of its own.
    assert!(rows(&tables, TableKind::Workloads).is_empty());

    let job = with(pod("shop", "job-x", true), "/metadata/ownerReferences", owner("Job", "job"));
    put(&mut tables, Resource::Pods, a_pod(job));
    let row = rows(&tables, TableKind::Pods).into_iter().find(|row| row.name == "job-x").unwrap();
    assert!(row.target.is_none() && row.why_not.unwrap().contains("job/job"));
}

#[test]
fn a_session_marks_workload_pod_and_service() {
    let mut tables = Tables::default();
    let record = json!({"id": "mine", "user": "ada", "host": "lovelace", "started": "2026-01-02T03:04:05Z", "container": "a", "toolVersion": "0.1.0"});
    let annotated = with(
        deployment("orders"),
        "/metadata/annotations",
        json!({"towline.dev/session": record.to_string()}),
    );
    put(&mut tables, Resource::Workloads(Kind::Deployment), workload(Kind::Deployment, annotated));
    let labels = json!({"app": "orders", "towline.dev/session": "mine"});
    put(&mut tables, Resource::Services, service("orders", json!({"selector": {"app": "orders"}})));
    put(
        &mut tables,
        Resource::Pods,
        a_pod(with(pod("shop", "one", true), "/metadata/labels", labels)),
    );
    for table in ALL {
        let row = rows(&tables, table).into_iter().find(|row| row.kind != "Pod").unwrap();
        let mark = row.session.unwrap();
        assert_eq!(
            (mark.id.as_str(), mark.user.as_str(), mark.mine),
            ("mine", "ada", true),
            "{table:?}"
        );
        assert!(mark.started.is_some());
    }
    let row = rows(&tables, TableKind::Workloads)
        .into_iter()
        .find(|row| row.kind == "Deployment")
        .unwrap();
    assert_eq!((row.ready, row.wanted, row.ports), (Some(1), Some(2), vec!["80/UDP".to_owned()]));
    put(&mut tables, Resource::Pods, a_pod(pod("shop", "one", true)));
    assert_eq!(only(&tables, TableKind::Services).session, None);
}
