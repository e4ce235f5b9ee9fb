#![allow(clippy::unwrap_used)]

use std::time::Instant;

use serde_json::{Value, json};
use towline_core::look::Scope;

use super::*;
use crate::view::{Row, SortColumn, TableState, Tone};

fn feed(resource: Resource) -> Feed {
    Feed { resource, scope: Scope::All }
}

fn pod(namespace: &str, name: &str, ready: bool) -> Value {
    json!({
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "orders"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"nodeName": "n", "containers": [{"name": "a", "image": "x", "ports": [{"name": "http", "containerPort": 8080}]}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
            "containerStatuses": [{"name": "a", "ready": ready, "restartCount": 2, "image": "", "imageID": ""}],
        },
    })
}

fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[field] = value;
    object
}

fn a_pod(value: Value) -> Object {
    Object::Pod(Box::new(serde_json::from_value(value).unwrap()))
}

fn service(name: &str, spec: Value) -> Object {
    let value = json!({"metadata": {"name": name, "namespace": "shop"}, "spec": spec});
    Object::Service(Box::new(serde_json::from_value(value).unwrap()))
}

fn workload(kind: Kind, value: Value) -> Object {
    Object::Workload(kind, Box::new(serde_json::from_value(value).unwrap()))
}

fn deployment(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "a", "image": "x", "ports": [{"containerPort": 80, "protocol": "UDP"}]}]}}},
        "status": {"readyReplicas": 1},
    })
}

fn query(table: TableKind) -> RowsQuery {
    RowsQuery {
        context: "a".into(),
        table,
        filter: String::new(),
        sort: SortColumn::Name,
        descending: false,
        offset: 0,
        limit: 500,
    }
}

fn rows(tables: &Tables, table: TableKind) -> Vec<Row> {
    tables.page(&query(table), &|id| id == "mine").rows
}

fn only(tables: &Tables, table: TableKind) -> Row {
    let rows = rows(tables, table);
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.into_iter().next().unwrap()
}

fn put(tables: &mut Tables, resource: Resource, object: Object) {
    tables.take(&feed(resource), News::Changed(object));
}

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

#[test]
fn a_new_list_takes_away_what_is_not_in_it() {
    let mut tables = Tables::default();
    let pods = feed(Resource::Pods);
    tables.take(&pods, News::Listing);
    tables.take(&pods, News::Listed(a_pod(pod("shop", "one", true))));
    tables.take(&pods, News::Listed(a_pod(pod("shop", "two", true))));
    // Rows of the first list show as they come.
    assert_eq!(rows(&tables, TableKind::Pods).len(), 2);
    tables.take(&pods, News::Complete);
    tables.take(&pods, News::Listing);
    tables.take(&pods, News::Listed(a_pod(pod("shop", "two", true))));
    assert_eq!(rows(&tables, TableKind::Pods).len(), 2);
    tables.take(&pods, News::Complete);
    assert_eq!(only(&tables, TableKind::Pods).name, "two");
    // The bare pod went from the workloads, too.
    assert_eq!(only(&tables, TableKind::Workloads).name, "two");
    tables.take(&pods, News::Deleted(a_pod(pod("shop", "two", true))));
    assert!(rows(&tables, TableKind::Pods).is_empty());
}

#[test]
fn the_end_of_a_namespaces_feed_leaves_the_others() {
    let mut tables = Tables::default();
    let of = |name: &str| Feed { resource: Resource::Pods, scope: Scope::Namespace(name.into()) };
    for name in ["shop", "bank"] {
        tables.take(&of(name), News::Listing);
        tables.take(&of(name), News::Listed(a_pod(pod(name, "one", true))));
        tables.take(&of(name), News::Complete);
    }
    tables.end(&of("bank"));
    assert_eq!(only(&tables, TableKind::Pods).namespace, "shop");
}

#[test]
fn a_table_is_as_the_worst_of_its_feeds() {
    let mut tables = Tables::default();
    let state = |tables: &Tables, table: TableKind| {
        tables.states().into_iter().find(|known| known.table == table).unwrap().state
    };
    assert_eq!(state(&tables, TableKind::Pods), TableState::Loading);
    for resource in Resource::ALL {
        tables.set(&feed(resource), FeedState::Live);
    }
    assert_eq!(state(&tables, TableKind::Workloads), TableState::Live);
    let report = crate::report::failure(towline_core::report::Code::Forbidden, "no", None);
    let sets = feed(Resource::Workloads(Kind::DaemonSet));
    tables.set(&sets, FeedState::Forbidden { report: report.clone() });
    assert_eq!(
        state(&tables, TableKind::Workloads),
        TableState::Forbidden { report: report.clone() }
    );
    assert_eq!(state(&tables, TableKind::Pods), TableState::Live);
    tables.stale(7, &report);
    tables.stale(9, &report);
    assert_eq!(
        state(&tables, TableKind::Pods),
        TableState::Stale { since: 7, report: report.clone() }
    );
    assert_eq!(state(&tables, TableKind::Services), TableState::Stale { since: 7, report });
}

fn many(tables: &mut Tables, pods: usize, services: usize) {
    for number in 0..services {
        let spec = json!({"selector": {"app": format!("app-{number}")}, "ports": [{"port": 80}]});
        put(tables, Resource::Services, service(&format!("service-{number}"), spec));
    }
    for number in 0..pods {
        put(tables, Resource::Pods, a_pod(numbered(number, services, true)));
    }
}

fn numbered(number: usize, services: usize, ready: bool) -> Value {
    let labels = json!({"app": format!("app-{}", number % services)});
    with(pod("shop", &format!("pod-{number:05}"), ready), "/metadata/labels", labels)
}

#[test]
fn filter_sort_and_page() {
    let mut tables = Tables::default();
    many(&mut tables, 30, 3);
    put(
        &mut tables,
        Resource::Pods,
        a_pod(with(pod("Bänk", "straße", false), "/status/phase", json!("Pending"))),
    );
    let page = |query: RowsQuery| tables.page(&query, &|_| false);
    let pods = query(TableKind::Pods);

    let found =
        page(RowsQuery { filter: "POD-0001 8080".into(), offset: 5, limit: 3, ..pods.clone() });
    let names: Vec<&str> = found.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!((found.total, found.matched, found.offset), (31, 10, 5));
    assert_eq!(names, ["pod-00015", "pod-00016", "pod-00017"]);
    assert_eq!(page(RowsQuery { filter: "bänk STRASSE".into(), ..pods.clone() }).matched, 0);
    assert_eq!(page(RowsQuery { filter: "BÄNK straß pending".into(), ..pods.clone() }).matched, 1);
    // A word does not match across two columns.
    assert_eq!(page(RowsQuery { filter: "shoppod".into(), ..pods.clone() }).matched, 0);

    let by = |sort, descending| {
        page(RowsQuery { sort, descending, limit: 1, ..pods.clone() }).rows[0].name.clone()
    };
    assert_eq!(by(SortColumn::Name, true), "straße");
    assert_eq!(by(SortColumn::Namespace, false), "straße");
    assert_eq!(by(SortColumn::Ready, false), "straße");
    assert_eq!(by(SortColumn::Status, true), "pod-00000");
    let beyond = page(RowsQuery { offset: 99, ..pods });
    assert_eq!((beyond.rows.len(), beyond.offset), (0, 31));
}

/// `cargo test --release -p towline-app five_thousand -- --ignored --nocapture` prints how long a page takes.
#[test]
#[ignore = "prints figures; those of a debug build say little"]
fn five_thousand_pods_and_a_page() {
    let mut tables = Tables::default();
    let begun = Instant::now();
    many(&mut tables, 5_000, 500);
    println!("5,000 pods and 500 services taken: {:?}", begun.elapsed());
    for table in [TableKind::Pods, TableKind::Services] {
        for (what, filter) in [("all", ""), ("filtered", "pod-00 http")] {
            let query = RowsQuery {
                filter: filter.into(),
                sort: SortColumn::Ready,
                limit: 60,
                ..query(table)
            };
            let begun = Instant::now();
            for _ in 0..20 {
                assert!(tables.page(&query, &|_| false).total > 0);
            }
            println!("a page of {table:?}, {what}: {:?}", begun.elapsed() / 20);
        }
    }
    let begun = Instant::now();
    for number in 0..200 {
        put(&mut tables, Resource::Pods, a_pod(numbered(number, 500, number % 2 == 0)));
    }
    println!("200 changes, each of them parsed: {:?}", begun.elapsed());
}

#[test]
fn counts_stay_right_through_many_changes() {
    let mut tables = Tables::default();
    many(&mut tables, 200, 10);
    for number in 0..200 {
        put(&mut tables, Resource::Pods, a_pod(numbered(number, 10, number % 3 == 0)));
    }
    for number in (0..200).step_by(7) {
        tables.take(&feed(Resource::Pods), News::Deleted(a_pod(numbered(number, 10, true))));
    }
    for (name, service) in &tables.services {
        assert_eq!(
            service.tally,
            tally::of(service, tally::pods_of(&tables.pods, &name.0)),
            "{name:?}"
        );
    }
    assert_eq!(tables.pods.len(), 200 - 29);
}
