//! From what is kept to the row that is shown.

use std::sync::Arc;

use jiff::Timestamp;
use towline_workload::{Kind, SessionRecord};

use super::Tables;
use super::entries::{Name, PodEntry, ServiceEntry, WorkloadEntry};
use super::query::Entry;
use super::tally;
use crate::view::{Row, SessionMark, Tone};

type Mine<'a> = &'a dyn Fn(&str) -> bool;

pub(super) fn row(tables: &Tables, entry: Entry<'_>, mine: Mine<'_>) -> Row {
    match entry {
        Entry::Service(entry) => service(tables, entry, mine),
        Entry::Workload(name, kind, entry) => workload(name, kind, entry, mine),
        Entry::Pod(name, entry) => pod(tables, name, entry, mine),
    }
}

/// The kind as its manifest names it.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Deployment => "Deployment",
        Kind::StatefulSet => "StatefulSet",
        Kind::DaemonSet => "DaemonSet",
        Kind::ReplicaSet => "ReplicaSet",
        Kind::Pod => "Pod",
    }
}

/// What a pod belongs to, as `deployment/orders`; empty where to nothing.
pub(super) fn owner<'a>(tables: &'a Tables, namespace: &Arc<str>, entry: &'a PodEntry) -> &'a str {
    let above = entry.set().and_then(|set| {
        let (owner, _) = tables.sets.get(&(namespace.clone(), set.into()))?;
        Some(&**owner)
    });
    above.or(entry.owner.as_deref()).unwrap_or_default()
}

/// Ready pods of a service, and of how many; `None` where it chooses none itself.
pub(super) fn service_ready(entry: &ServiceEntry) -> Option<(u32, u32)> {
    let chooses = !entry.row.selector.is_empty() && entry.row.kind != "ExternalName";
    chooses.then_some((entry.tally.ready, entry.tally.total))
}

fn service(tables: &Tables, entry: &ServiceEntry, mine: Mine<'_>) -> Row {
    let row = &entry.row;
    let why_not = if row.kind == "ExternalName" {
        Some("It is a name for something outside the cluster.")
    } else if row.selector.is_empty() {
        Some("It has no selector, so no workload stands behind it.")
    } else {
        None
    };
    let ready = service_ready(entry);
    let session = entry.tally.sessions.keys().next();
    Row {
        kind: entry.kind.clone(),
        tone: ready.map_or(Tone::Neutral, |(ready, total)| share(ready, total)),
        ports: entry.ports.clone(),
        address: row.cluster_ip.clone(),
        session: session.map(|id| mark_of(tables, &row.namespace, id, mine)),
        ..blank("service", &row.namespace, &row.name, row.created, ready, why_not)
    }
}

fn workload(name: &Name, of: Kind, entry: &WorkloadEntry, mine: Mine<'_>) -> Row {
    let ready = Some((entry.ready, entry.desired));
    Row {
        kind: kind(of).to_owned(),
        tone: share(entry.ready, entry.desired),
        ports: entry.containers.ports.clone(),
        images: entry.containers.images.clone(),
        session: entry.session.as_ref().map(|record| mark(record, mine)),
        ..blank(of.as_str(), &name.0, &name.1, entry.created, ready, None)
    }
}

fn pod(tables: &Tables, name: &Name, entry: &PodEntry, mine: Mine<'_>) -> Row {
    let owner = owner(tables, &name.0, entry);
    let (ready, all) = entry.share();
    let foreign = owner.split_once('/').is_some_and(|(kind, _)| kind.parse::<Kind>().is_err());
    let why_not = foreign.then(|| format!("{owner} controls it, which cannot be redirected."));
    let session = entry.session.as_ref().map(|id| mark_of(tables, &name.0, id, mine));
    let why_not = why_not.as_deref();
    Row {
        tone: pod_tone(&entry.status, ready, all),
        status: entry.status.to_string(),
        ports: entry.containers.ports.clone(),
        containers: entry.containers.names.clone(),
        restarts: Some(entry.restarts),
        node: entry.node.as_deref().map(str::to_owned),
        session,
        kind: owner.to_owned(),
        ..blank("pod", &name.0, &name.1, entry.created, Some((ready, all)), why_not)
    }
}

/// What every row has.
fn blank(
    kind: &str,
    namespace: &str,
    name: &str,
    created: Option<Timestamp>,
    ready: Option<(u32, u32)>,
    why_not: Option<&str>,
) -> Row {
    Row {
        key: format!("{namespace}/{kind}/{name}"),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        kind: String::new(),
        target: why_not.is_none().then(|| format!("{kind}/{name}")),
        why_not: why_not.map(str::to_owned),
        ready: ready.map(|(ready, _)| ready),
        wanted: ready.map(|(_, wanted)| wanted),
        status: String::new(),
        tone: Tone::Neutral,
        ports: Vec::new(),
        address: None,
        images: Vec::new(),
        containers: Vec::new(),
        restarts: None,
        node: None,
        created: created.map(Timestamp::as_millisecond),
        session: None,
    }
}

fn mark(record: &SessionRecord, mine: Mine<'_>) -> SessionMark {
    SessionMark {
        id: record.id.clone(),
        user: record.user.clone(),
        host: record.host.clone(),
        started: Some(record.started.as_millisecond()),
        mine: mine(&record.id),
    }
}

/// Pods carry the session's id only; whose it is stands on the workload.
fn mark_of(tables: &Tables, namespace: &str, id: &str, mine: Mine<'_>) -> SessionMark {
    let inside = tables.workloads.range((tally::first(namespace), Kind::Deployment)..);
    let inside = inside.take_while(|((name, _), _)| *name.0 == *namespace);
    let mut records = inside.filter_map(|(_, entry)| entry.session.as_ref());
    match records.find(|record| record.id == id) {
        Some(record) => mark(record, mine),
        None => SessionMark {
            id: id.to_owned(),
            user: String::new(),
            host: String::new(),
            started: None,
            mine: mine(id),
        },
    }
}

fn share(ready: u32, wanted: u32) -> Tone {
    match (ready, wanted) {
        (_, 0) => Tone::Neutral,
        (ready, wanted) if ready >= wanted => Tone::Good,
        (0, _) => Tone::Bad,
        _ => Tone::Warning,
    }
}

fn pod_tone(status: &str, ready: u32, containers: u32) -> Tone {
    match status {
        "Running" if ready >= containers => Tone::Good,
        "Succeeded" | "Completed" => Tone::Neutral,
        "Running" | "Pending" | "ContainerCreating" | "PodInitializing" | "Terminating" => {
            Tone::Warning
        }
        _ => Tone::Bad,
    }
}
