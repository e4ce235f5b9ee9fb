#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

fn app(sessions: &[Value], more: &Value) -> App {
    let mut app = json!({
        "version": "0.1.0", "platform": "linux", "user": "ada", "host": "workbench",
        "contexts": {"contexts": [], "broken": [], "error": null, "files": []},
        "clusters": [],
        "sessions": sessions,
        "profiles": [],
        "preferences": {
            "theme": "system", "mode": "noAdministrator", "leaseSeconds": 120, "kubeconfigFiles": [], "notifications": true,
            "logLevel": "info", "contexts": [], "file": "", "logDirectory": "", "problem": null,
        },
        "leftovers": [], "helper": {"state": "idle"},
    });
    for (key, value) in more.as_object().unwrap() {
        app[key] = value.clone();
    }
    serde_json::from_value(app).unwrap()
}

fn request(name: &str) -> Value {
    json!({
        "context": "sandbox", "namespace": "shop", "target": format!("service/{name}"), "container": null, "ports": [],
        "namespaces": [], "program": {"start": "byUser"}, "mode": "noAdministrator", "agentImage": null, "pullSecret": null,
        "leaseSeconds": null, "takeOver": false, "reconnect": false,
    })
}

fn session(name: &str, phase: &Value, attention: Option<&str>) -> Value {
    json!({
        "id": format!("id-{name}"), "request": request(name), "title": name, "workload": format!("deployment/{name}"),
        "container": name, "started": 0, "phase": phase, "since": 0, "steps": [], "tunnels": [],
        "inbound": [{"remote": 8080, "protocol": "TCP", "local": 3000, "name": "http", "services": [format!("{name}:80")]}],
        "silentPorts": [], "listeners": [], "mode": "noAdministrator", "volumes": [],
        "figures": {"inboundOpen": 0, "outboundOpen": 0, "connections": 0, "bytesIn": 0, "bytesOut": 0, "perSecond": []},
        "program": {"state": "byUser"}, "envFile": null, "events": 0, "attention": attention, "restorer": true, "commandLine": "",
    })
}

fn connected() -> Value {
    json!({"phase": "connected"})
}

fn ended() -> Value {
    json!({"phase": "ended", "how": "stopped", "tone": "good", "message": "As before.", "report": null})
}

/// The tray as text: icon and tooltip, then the menu, indented.
fn shown(app: &App) -> String {
    fn lines(items: &[MenuItem], indent: usize, text: &mut String) {
        let space = "  ".repeat(indent);
        for item in items {
            match item {
                MenuItem::Entry(label, action) => {
                    text.push_str(&format!("{space}[{label}] {action:?}\n"));
                }
                MenuItem::Text(label) => text.push_str(&format!("{space}{label}\n")),
                MenuItem::Submenu(label, items) => {
                    text.push_str(&format!("{space}{label} >\n"));
                    lines(items, indent + 1, text);
                }
                MenuItem::Separator => text.push_str(&format!("{space}---\n")),
            }
        }
    }
    let tray = tray(app);
    let mut text = format!("{:?}: {}\n\n", tray.state, tray.tooltip);
    lines(&tray.menu, 0, &mut text);
    text
}

#[test]
fn nothing_is_going_on() {
    insta::assert_snapshot!(shown(&app(&[], &json!({}))));
}

#[test]
fn one_session_and_remembered_profiles() {
    let profiles: Vec<_> = ["orders (shop)", "gateway (shop)", "a", "b", "c", "d"]
        .map(|name| json!({"id": format!("profile-{name}"), "name": name, "request": request(name), "used": 1}))
        .to_vec();
    let sessions = [session("orders", &connected(), None), session("old", &ended(), None)];
    insta::assert_snapshot!(shown(&app(&sessions, &json!({"profiles": profiles}))));
}

#[test]
fn several_sessions_of_which_one_needs_the_user() {
    let sessions = [
        session("orders", &connected(), None),
        session("gateway", &json!({"phase": "lapsed"}), Some("The cluster has restored gateway.")),
        session("greeter", &json!({"phase": "stopping", "step": "restore"}), None),
    ];
    insta::assert_snapshot!(shown(&app(&sessions, &json!({}))));
}

#[test]
fn leftovers_call_for_repair() {
    let leftover = json!({
        "id": "x", "context": "sandbox", "namespace": "shop", "workload": "deployment/orders", "user": null, "host": null, "started": null,
        "message": "", "repairing": false,
    });
    insta::assert_snapshot!(shown(&app(&[], &json!({"leftovers": [leftover]}))));
}

#[test]
fn quitting_says_what_it_stops() {
    let sessions = ["one", "two", "three"].map(|name| session(name, &connected(), None));
    let quit = |count: usize| match tray(&app(&sessions[..count], &json!({}))).menu.pop() {
        Some(MenuItem::Entry(label, MenuAction::Quit)) => label,
        other => panic!("the last line is {other:?}"),
    };
    assert_eq!(
        [quit(0), quit(1), quit(2), quit(3)],
        [
            "Quit",
            "Quit (stops one (shop))",
            "Quit (stops one (shop) and two (shop))",
            "Quit (stops 3 sessions)"
        ]
    );
}

#[test]
fn an_action_survives_being_a_lines_id() {
    let action = MenuAction::Go(Place::Session { id: "a\"b".to_owned() });
    let id = serde_json::to_string(&action).unwrap();
    assert_eq!(serde_json::from_str::<MenuAction>(&id).unwrap(), action);
}
