//! A cluster of a few objects: one of each case that a target can be.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::server::{Request, Server, status, version};

/// Objects by their path, and what differs from test to test.
#[derive(Default)]
pub(crate) struct World {
    /// Rights that the user does not hold, as `verb resource`.
    pub(crate) denied: BTreeSet<&'static str>,
    /// What admission answers to a patch that is tried.
    pub(crate) refusal: Option<&'static str>,
    /// Further objects: the path of their list, and they.
    pub(crate) more: Vec<(&'static str, Value)>,
}

const SHOP: &str = "/api/v1/namespaces/shop";
const APPS: &str = "/apis/apps/v1/namespaces/shop";
pub(crate) const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";
pub(crate) const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/shop/leases";

impl World {
    pub(crate) async fn start(self) -> Server {
        let mut objects = objects();
        objects.extend(self.more.iter().map(|(list, object)| ((*list).to_owned(), object.clone())));
        Server::start(move |request| self.answer(&objects, request)).await
    }

    fn answer(&self, objects: &[(String, Value)], request: &Request) -> (u16, Value) {
        let path = request.path.as_str();
        match (request.method.as_str(), path) {
            (_, "/version") => (200, version()),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") => {
                (201, self.review(&request.body))
            }
            ("PATCH", _) => match self.refusal {
                Some(message) => status(403, "Forbidden", message),
                None => (200, json!({"metadata": {"name": "x"}})),
            },
            ("GET", _) => read(objects, path, &request.query),
            _ => status(405, "MethodNotAllowed", "this server is only read"),
        }
    }

    fn review(&self, review: &Value) -> Value {
        let attributes = &review["spec"]["resourceAttributes"];
        let part = |name: &str| attributes[name].as_str().unwrap_or_default().to_owned();
        let resource = match part("subresource") {
            none if none.is_empty() => part("resource"),
            subresource => format!("{}/{subresource}", part("resource")),
        };
        let asked = format!("{} {resource}", part("verb"));
        json!({"spec": review["spec"], "status": {"allowed": !self.denied.contains(asked.as_str())}})
    }
}

fn read(objects: &[(String, Value)], path: &str, query: &str) -> (u16, Value) {
    let named = |(list, object): &&(String, Value)| {
        format!("{list}/{}", object["metadata"]["name"].as_str().unwrap()) == path
    };
    if let Some((_, object)) = objects.iter().find(named) {
        return (200, object.clone());
    }
    let items: Vec<&Value> = objects
        .iter()
        .filter(|(list, object)| list == path && selected(object, query))
        .map(|(_, object)| object)
        .collect();
    let is_list = [
        "services",
        "pods",
        "deployments",
        "statefulsets",
        "daemonsets",
        "replicasets",
        "namespaces",
    ]
    .iter()
    .any(|plural| path.ends_with(&format!("/{plural}")));
    if is_list {
        return (200, json!({"metadata": {}, "items": items}));
    }
    status(404, "NotFound", &format!("{path} not found"))
}

// Selectors of equality are all that the tests need.
fn selected(object: &Value, query: &str) -> bool {
    let selector =
        query.split('&').find_map(|pair| pair.strip_prefix("labelSelector=")).unwrap_or_default();
    let selector = selector.replace("%3D", "=").replace("%2C", ",");
    let mut pairs = selector.split(',').filter_map(|pair| pair.split_once('='));
    pairs.all(|(key, value)| object["metadata"]["labels"][key] == value)
}

fn objects() -> Vec<(String, Value)> {
    let mut objects =
        vec![("/api/v1/namespaces".to_owned(), json!({"metadata": {"name": "shop"}}))];
    let mut add = |list: String, object: Value| objects.push((list, object));
    let services = || format!("{SHOP}/services");
    for (name, spec) in [
        (
            "orders",
            json!({"clusterIP": "10.96.0.10", "selector": {"app": "orders"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}),
        ),
        (
            "catalogue",
            json!({"clusterIP": "None", "selector": {"app": "catalogue"}, "ports": [{"port": 80, "targetPort": 8080}]}),
        ),
        (
            "both",
            json!({"clusterIP": "10.96.0.11", "selector": {"tier": "back"}, "ports": [{"port": 80}]}),
        ),
        (
            "asleep",
            json!({"clusterIP": "10.96.0.12", "selector": {"app": "asleep"}, "ports": [{"port": 80}]}),
        ),
        (
            "canary",
            json!({"clusterIP": "10.96.0.13", "selector": {"app": "canary"}, "ports": [{"port": 80}]}),
        ),
        (
            "nobody",
            json!({"clusterIP": "10.96.0.14", "selector": {"app": "nobody"}, "ports": [{"port": 80}]}),
        ),
        ("byhand", json!({"clusterIP": "10.96.0.15", "ports": [{"port": 80}]})),
        ("outside", json!({"type": "ExternalName", "externalName": "example.com"})),
    ] {
        add(services(), json!({"metadata": {"name": name, "namespace": "shop"}, "spec": spec}));
    }
    let container = json!({"name": "main", "image": "shop:1", "ports": [{"containerPort": 8080, "name": "http"}]});
    let sidecar = json!({"name": "proxy", "image": "proxy:1", "ports": [{"containerPort": 15001}]});
    for (plural, name, labels, replicas, containers) in [
        (
            "deployments",
            "orders",
            json!({"app": "orders", "tier": "back"}),
            2,
            json!([container, sidecar]),
        ),
        (
            "statefulsets",
            "catalogue",
            json!({"app": "catalogue", "tier": "back"}),
            1,
            json!([container]),
        ),
        ("deployments", "asleep", json!({"app": "asleep"}), 0, json!([container])),
        ("deployments", "twice", json!({"app": "twice"}), 1, json!([container])),
        ("daemonsets", "twice", json!({"app": "twice"}), 1, json!([container])),
        ("deployments", "meshed", json!({"app": "meshed"}), 1, json!([container, sidecar])),
        ("deployments", "paused", json!({"app": "paused"}), 1, json!([container])),
    ] {
        let value = json!({
            "metadata": {"name": name, "namespace": "shop", "uid": format!("{plural}-{name}"), "resourceVersion": "7"},
            "spec": {
                "replicas": replicas,
                "paused": name == "paused",
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
            },
            "status": {"desiredNumberScheduled": 1},
        });
        add(format!("{APPS}/{plural}"), value);
    }
    let owner = |kind: &str, name: &str, group: &str| json!([{"apiVersion": group, "kind": kind, "name": name, "uid": format!("{}s-{name}", kind.to_lowercase()), "controller": true}]);
    for (name, owners) in [
        ("orders-1", owner("Deployment", "orders", "apps/v1")),
        ("canary-1", owner("Rollout", "canary", "argoproj.io/v1alpha1")),
    ] {
        add(
            format!("{APPS}/replicasets"),
            json!({"metadata": {"name": name, "namespace": "shop", "ownerReferences": owners}}),
        );
    }
    for (name, labels, owners) in [
        (
            "orders-1-a",
            json!({"app": "orders", "tier": "back"}),
            owner("ReplicaSet", "orders-1", "apps/v1"),
        ),
        (
            "orders-1-b",
            json!({"app": "orders", "tier": "back"}),
            owner("ReplicaSet", "orders-1", "apps/v1"),
        ),
        (
            "catalogue-0",
            json!({"app": "catalogue", "tier": "back"}),
            owner("StatefulSet", "catalogue", "apps/v1"),
        ),
        ("canary-1-a", json!({"app": "canary"}), owner("ReplicaSet", "canary-1", "apps/v1")),
        ("lone", json!({"app": "lone"}), json!([])),
    ] {
        let value = json!({
            "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "7", "labels": labels, "ownerReferences": owners},
            "spec": {"containers": [container]},
            "status": {"phase": "Running"},
        });
        add(format!("{SHOP}/pods"), value);
    }
    objects
}
