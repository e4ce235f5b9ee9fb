#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn sample() -> Plan {
    let change = |path: &str, before: Value, after: Value| {
        let some = |value: Value| if value.is_null() { None } else { Some(value) };
        json!({"path": path, "before": some(before), "after": some(after)})
    };
    let agent = json!({
        "image": "towline.dev/agent:0.1.0", "image_pull_policy": "IfNotPresent", "pull_secret": null, "args": ["serve"],
    });
    serde_json::from_value(json!({
        "request": towline_core::request::Request::new("orders".parse().unwrap()),
        "session": towline_wire::SessionId::generate(),
        "record": {
            "id": "s", "user": "jane", "host": "laptop", "started": "2026-01-02T03:04:05Z", "container": "orders", "toolVersion": "0.1.0",
        },
        "cluster": {"context": "sandbox", "server": "https://198.18.0.2:6443", "version": "v1.20.2"},
        "workload": {"kind": "deployment", "namespace": "shop", "name": "orders"},
        "container": "orders",
        "replicas": 2,
        "limited_to": null,
        "agent": agent,
        "control_port": 50123,
        "fields": [
            change("containers[orders].image", json!("sandbox.local/orders:1"), json!("towline.dev/agent:0.1.0")),
            change("containers[orders].command", Value::Null, json!(["/towline-agent"])),
            change("containers[orders].livenessProbe", json!({"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 5}), Value::Null),
            change("metadata.annotations[towline.dev/original]", Value::Null, json!("x".repeat(400))),
        ],
        "objects": [
            {"kind": "Lease", "name": "towline-deploy-orders", "purpose": "says who has the workload"},
            {"kind": "Job", "name": "towline-7c6a", "purpose": "restores when this client is gone"},
        ],
        "inbound": [
            {"remote": 8080, "local": 8080, "name": "http", "services": ["orders:80", "orders-admin:8080"]},
            {"remote": 9090, "local": 19090, "name": null, "services": []},
        ],
        "outbound": [
            {"namespace": "shop", "name": "redis", "cluster_ip": "10.96.1.1", "ports": [{"name": "redis", "port": 6379, "target": null}]},
            {"namespace": "shop", "name": "catalogue", "cluster_ip": null, "ports": [{"name": null, "port": 80, "target": 8080}]},
        ],
        "checks": [
            {"title": "rights", "outcome": "passed", "message": "all 14 are there"},
            {"title": "restorer", "outcome": "warning", "message": "Jobs may not be created; nothing restores if this client vanishes",
             "fix": "ask for the role that `towline rbac` prints"},
            {"title": "local port 8080", "outcome": "blocked", "message": "python3 (4711) listens there",
             "fix": "stop it, or say --port 8080:18080", "code": "local_port_taken"},
        ],
        "occupied_by": null,
        "base": {},
        "restorer": false,
    }))
    .unwrap()
}

#[test]
fn everything_has_its_line() {
    insta::assert_snapshot!(plan(&sample(), Colour::Off));
}

#[test]
fn colours_change_nothing_but_colours() {
    let coloured = plan(&sample(), Colour::On);
    assert_ne!(coloured, plan(&sample(), Colour::Off));
    assert_eq!(console::strip_ansi_codes(&coloured), plan(&sample(), Colour::Off));
}

#[test]
fn the_verdict() {
    let mut sample = sample();
    sample.checks.truncate(2);
    assert!(plan(&sample, Colour::Off).ends_with("Nothing stands in the way; 1 warning.\n"));
    sample.checks.truncate(1);
    assert!(plan(&sample, Colour::Off).ends_with("Nothing stands in the way.\n"));
}

#[test]
fn a_value_stays_one_line() {
    assert_eq!(value(&json!("a\nb")), "\"a\\nb\"");
    assert_eq!(value(&json!("")), "\"\"");
    assert_eq!(value(&json!(["a", "--b=c"])), "a --b=c");
    assert_eq!(measure_text_width(&value(&json!("y".repeat(300)))), VALUE_WIDTH);
}

#[test]
fn the_lines_of_the_hosts_file_are_shown_and_counted() {
    let mut plan = sample();
    assert!(!super::plan(&plan, Colour::Off).contains("/etc/hosts"));
    let host = |number: usize, ports: &[u16]| {
        json!({
            "subject": {"kind": "service", "namespace": "shop", "name": format!("s{number}")},
            "address": format!("127.77.0.{}", number + 1),
            "names": [format!("s{number}"), format!("s{number}.shop")],
            "ports": ports,
        })
    };
    let mut hosts = vec![host(0, &[])];
    hosts.extend((1..25).map(|number| host(number, &[60_000])));
    plan.hosts =
        serde_json::from_value(json!({"domain": "cluster.local", "hosts": hosts})).unwrap();
    plan.request.names = Names::HostsFile;
    let text = super::plan(&plan, Colour::Off);
    assert!(text.contains("  + /etc/hosts  127.77.0.1   s0 s0.shop   your program\n"), "{text}");
    assert!(
        text.contains("  + /etc/hosts  127.77.0.20  s19 s19.shop\n") && !text.contains("s20.shop"),
        "{text}"
    );
    assert!(text.contains("and 5 lines more"), "{text}");
    assert!(text.contains("administrator's rights are needed for the hosts file\n"), "{text}");
    assert!(text.contains("each by its cluster names, on its own ports"), "{text}");

    plan.request.names = Names::OwnHostsFile;
    let text = super::plan(&plan, Colour::Off);
    assert!(text.contains("  + /etc/hosts  127.77.0.20  s19 s19.shop\n"), "{text}");
    assert!(
        text.contains("in a hosts file of your program's own")
            && !text.contains("rights are needed for"),
        "{text}"
    );
}
