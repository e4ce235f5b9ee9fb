#![allow(clippy::unwrap_used)]

mod feeds;
mod many;
mod rows;

use serde_json::{Value, json};
use towline_core::look::Scope;

use super::*;
use crate::view::{Row, SortColumn};

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
