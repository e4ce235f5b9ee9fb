//! Filter, sort, page.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use towline_workload::Kind;

use super::entries::{Name, PodEntry, ServiceEntry, WorkloadEntry};
use super::{Tables, count, render};
use crate::view::{RowsPage, RowsQuery, SortColumn, TableKind};

/// How many rows a page has at most.
const LARGEST_PAGE: u32 = 500;

/// What rows are filtered and sorted by. Made for every row of a table at each question, so it only borrows.
pub(super) struct Line<'a> {
    namespace: &'a str,
    name: &'a str,
    kind: Cow<'a, str>,
    status: &'a str,
    ports: &'a [String],
    ready: Option<(u32, u32)>,
    created: Option<Timestamp>,
    restarts: Option<u32>,
    pub(super) entry: Entry<'a>,
}

/// What the line is about.
#[derive(Clone, Copy)]
pub(super) enum Entry<'a> {
    Service(&'a ServiceEntry),
    Workload(&'a Name, Kind, &'a WorkloadEntry),
    Pod(&'a Name, &'a PodEntry),
}

pub(super) fn page(tables: &Tables, query: &RowsQuery, mine: &dyn Fn(&str) -> bool) -> RowsPage {
    let mut lines = lines(tables, query.table);
    let total = count(lines.len());
    let words: Vec<String> = query.filter.split_whitespace().map(str::to_lowercase).collect();
    if !words.is_empty() {
        let mut text = String::new();
        lines.retain(|line| line.has(&words, &mut text));
    }
    lines.sort_unstable_by(|a, b| {
        let order = a.compare(b, query.sort);
        let order = if query.descending { order.reverse() } else { order };
        order.then_with(|| (a.namespace, a.name, &a.kind).cmp(&(b.namespace, b.name, &b.kind)))
    });
    let matched = count(lines.len());
    let offset = query.offset.min(matched);
    let limit = query.limit.min(LARGEST_PAGE);
    let [services, workloads, pods] = tables.revisions();
    let shown = lines.iter().skip(offset as usize).take(limit as usize);
    RowsPage {
        revision: match query.table {
            TableKind::Services => services,
            TableKind::Workloads => workloads,
            TableKind::Pods => pods,
        },
        total,
        matched,
        offset,
        rows: shown.map(|line| render::row(tables, line.entry, mine)).collect(),
    }
}

fn lines(tables: &Tables, table: TableKind) -> Vec<Line<'_>> {
    match table {
        TableKind::Services => tables.services.values().map(service).collect(),
        TableKind::Workloads => tables.workloads.iter().map(workload).collect(),
        TableKind::Pods => {
            tables.pods.iter().map(|(name, entry)| pod(tables, name, entry)).collect()
        }
    }
}

fn service(entry: &ServiceEntry) -> Line<'_> {
    let row = &entry.row;
    Line {
        namespace: &row.namespace,
        name: &row.name,
        kind: Cow::Borrowed(&entry.kind),
        status: "",
        ports: &entry.ports,
        ready: render::service_ready(entry),
        created: row.created,
        restarts: None,
        entry: Entry::Service(entry),
    }
}

fn workload<'a>(((name, kind), entry): (&'a (Name, Kind), &'a WorkloadEntry)) -> Line<'a> {
    Line {
        namespace: &name.0,
        name: &name.1,
        kind: Cow::Borrowed(render::kind(*kind)),
        status: "",
        ports: &entry.containers.ports,
        ready: Some((entry.ready, entry.desired)),
        created: entry.created,
        restarts: None,
        entry: Entry::Workload(name, *kind, entry),
    }
}

fn pod<'a>(tables: &'a Tables, name: &'a Name, entry: &'a PodEntry) -> Line<'a> {
    Line {
        namespace: &name.0,
        name: &name.1,
        kind: Cow::Borrowed(render::owner(tables, &name.0, entry)),
        status: &entry.status,
        ports: &entry.containers.ports,
        ready: Some(entry.share()),
        created: entry.created,
        restarts: Some(entry.restarts),
        entry: Entry::Pod(name, entry),
    }
}

impl Line<'_> {
    /// Whether every word occurs; `text` is only lent, so that not each line needs memory of its own.
    fn has(&self, words: &[String], text: &mut String) -> bool {
        text.clear();
        let parts = [self.namespace, self.name, &self.kind, self.status];
        for part in parts.into_iter().chain(self.ports.iter().map(String::as_str)) {
            // Nothing may match across two parts.
            text.push('\n');
            match part.is_ascii() {
                true => text.extend(part.chars().map(|letter| letter.to_ascii_lowercase())),
                false => text.push_str(&part.to_lowercase()),
            }
        }
        words.iter().all(|word| text.contains(word.as_str()))
    }

    fn compare(&self, other: &Self, column: SortColumn) -> Ordering {
        match column {
            SortColumn::Name => self.name.cmp(other.name),
            SortColumn::Namespace => self.namespace.cmp(other.namespace),
            SortColumn::Kind => self.kind.cmp(&other.kind),
            SortColumn::Status => self.status.cmp(other.status),
            SortColumn::Ready => share(self.ready).cmp(&share(other.ready)),
            // The youngest has the smallest age.
            SortColumn::Age => other.created.cmp(&self.created),
            SortColumn::Restarts => self.restarts.cmp(&other.restarts),
        }
    }
}

/// The share that is ready, in a form that can be compared. Where nothing is wanted all is ready; of equal shares the larger count is more.
fn share(ready: Option<(u32, u32)>) -> Option<(u64, u32)> {
    let (ready, wanted) = ready?;
    let share = u64::from(ready) * 1_000_000 / u64::from(wanted.max(1));
    Some((if wanted == 0 { 1_000_000 } else { share }, ready))
}
