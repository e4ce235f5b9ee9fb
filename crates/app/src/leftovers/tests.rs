#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_json::json;

use super::*;

fn entry(directory: &Path, session: &str, pid: u32) -> Entry {
    serde_json::from_value(json!({
        "session": session,
        "context": "sandbox",
        "kubeconfig": null,
        "workload": {"kind": "deployment", "namespace": "shop", "name": "orders"},
        "lease": "towline-deploy-orders",
        "restores_after_s": 120,
        "directory": directory.join(session),
        "started": "2026-01-01T00:00:00Z",
        "pid": pid,
        "process_started": 1,
    }))
    .unwrap()
}

fn found(session: &str, lapsed: bool) -> SessionStatus {
    let record = json!({"id": session, "user": "ada", "host": "lovelace", "started": "2026-01-02T03:04:05Z", "container": "a", "toolVersion": "0.1.0"});
    let record: towline_workload::SessionRecord = serde_json::from_value(record).unwrap();
    let lease = towline_core::lease::LeaseState {
        holder: session.to_owned(),
        lapsed,
        record: Some(record.clone()),
        ..towline_core::lease::LeaseState::of(&Default::default(), jiff::Timestamp::now())
    };
    SessionStatus {
        workload: towline_workload::WorkloadRef {
            kind: towline_workload::Kind::Deployment,
            namespace: "shop".into(),
            name: "orders".into(),
        },
        workload_exists: true,
        record: Some(record),
        installed: Some(session.to_owned()),
        lease: Some(lease),
        restorer: Some("Running".into()),
    }
}

const GONE: &str = "0123456789ab";

#[test]
fn the_journals_dead_sessions_are_leftovers_and_the_living_are_not() {
    let home = tempfile::tempdir().unwrap();
    let journal = Journal::at(home.path().join("sessions"));
    journal.write(&entry(home.path(), GONE, u32::MAX)).unwrap();
    let (pid, process_started) = Entry::this_process();
    let alive = Entry { pid, process_started, ..entry(home.path(), "ba9876543210", 1) };
    journal.write(&alive).unwrap();
    let leftovers = Leftovers::read(Outbox::new(), journal);
    let all = leftovers.all();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].id.as_str(), all[0].workload.as_str()), (GONE, "deployment/orders"));
    assert_eq!((all[0].user.as_deref(), all[0].repairing), (None, false));
    assert!(all[0].message.contains("120 s"), "{}", all[0].message);
}

#[test]
fn a_session_of_which_the_cluster_has_nothing_is_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let journal = Journal::at(home.path().join("sessions"));
    let entry = entry(home.path(), GONE, u32::MAX);
    std::fs::create_dir(&entry.directory).unwrap();
    std::fs::write(entry.directory.join("environment.env"), "A=1").unwrap();
    journal.write(&entry).unwrap();
    let outbox = Outbox::new();
    let changed = outbox.changed();
    let leftovers = Leftovers::read(outbox, journal.clone());
    // Another namespace, another cluster: that says nothing.
    leftovers.take("sandbox", &Scope::Namespace("bank".into()), &[]);
    leftovers.take("other", &Scope::All, &[]);
    assert_eq!(leftovers.all().len(), 1);
    leftovers.take("sandbox", &Scope::Namespace("shop".into()), &[]);
    assert!(leftovers.all().is_empty() && changed.has_changed().unwrap());
    assert!(journal.read_all().unwrap().is_empty());
    assert!(!entry.directory.exists());
}

#[test]
fn what_a_cluster_knows_is_added_once_its_client_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let leftovers = Leftovers::read(Outbox::new(), Journal::at(home.path().join("sessions")));
    leftovers.take("sandbox", &Scope::All, &[found(GONE, false)]);
    assert!(leftovers.all().is_empty());
    leftovers.take("sandbox", &Scope::All, &[found(GONE, true)]);
    let all = leftovers.all();
    assert_eq!((all[0].user.as_deref(), all[0].host.as_deref()), (Some("ada"), Some("lovelace")));
    assert!(all[0].message.contains("restorer is running"), "{}", all[0].message);
}
