//! `towline status` and `towline restore`: sessions as the cluster knows them, and what this machine's journal says.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use towline_core::cluster::Cluster;
use towline_core::journal::{Entry, Journal};
use towline_core::leftovers::{self, Became, RestoreResult, SessionStatus, Which};
use towline_core::look::{Scope, age};
use towline_core::report::Code;
use towline_workload::{Progress as Step, WorkloadRef};

use crate::arguments::{Format, RestoreArguments, StatusArguments};
use crate::failure::Failure;
use crate::list::{check_namespace, cluster, scope};
use crate::output;
use crate::progress::Progress;

/// How long a workload may take to come into service again.
const LIMIT: Duration = Duration::from_secs(120);

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    status: SessionStatus,
    /// Whether no client keeps it alive.
    lapsed: bool,
}

pub(crate) async fn status(arguments: &StatusArguments) -> Result<(), Failure> {
    let journal = Journal::of_user();
    let opened = cluster(&arguments.cluster).await;
    let Ok(cluster) = opened else {
        // What is known without the cluster is worth telling just then.
        for entry in abandoned(&journal) {
            output::complain(&note(&entry));
        }
        return opened.map(drop);
    };
    let scope = scope(&arguments.scope, &cluster);
    let found = leftovers::status(&cluster, &scope).await?;
    if found.is_empty() {
        check_namespace(&cluster, &scope).await?;
    }
    let notes = notes(&journal, &cluster, &scope, &found);
    let rows: Vec<Row> =
        found.into_iter().map(|status| Row { lapsed: !status.is_live(), status }).collect();
    let nothing = match &scope {
        Scope::Namespace(name) => format!("no sessions in namespace {name}"),
        Scope::All => "no sessions".to_owned(),
    };
    let now = Timestamp::now();
    let header = ["NAMESPACE", "WORKLOAD", "SESSION", "USER", "SINCE", "STATE", "RESTORER"];
    output::rows(arguments.output.output, &rows, &header, &nothing, |row| columns(row, now));
    for note in notes {
        output::complain(&note);
    }
    Ok(())
}

fn columns(Row { status, .. }: &Row, now: Timestamp) -> Vec<String> {
    let record = status.record.as_ref();
    let state = match &status.lease {
        _ if !status.workload_exists => "workload is gone",
        Some(lease) if !lease.lapsed => "live",
        Some(_) => "client is gone",
        None => "left behind",
    };
    vec![
        status.workload.namespace.clone(),
        format!("{}/{}", status.workload.kind, status.workload.name),
        status.sessions().join(", "),
        record.map_or_else(|| "-".to_owned(), |record| format!("{}@{}", record.user, record.host)),
        record.map_or_else(|| "-".to_owned(), |record| format!("{} ago", age(record.started, now))),
        state.to_owned(),
        status.restorer.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

/// This user's sessions whose process is gone.
fn abandoned(journal: &Journal) -> Vec<Entry> {
    journal.abandoned().unwrap_or_else(|error| {
        output::complain(&format!("warning: {error}"));
        Vec::new()
    })
}

/// What the journal knows and the list does not show. An entry that the cluster has nothing of is done with, and removed.
fn notes(
    journal: &Journal,
    cluster: &Cluster,
    scope: &Scope,
    found: &[SessionStatus],
) -> Vec<String> {
    let looked_at = |entry: &Entry| {
        let there =
            *scope == Scope::All || *scope == Scope::Namespace(entry.workload.namespace.clone());
        there
            && entry.context == cluster.context()
            && entry.kubeconfig.as_deref() == cluster.kubeconfig()
    };
    let mut notes = Vec::new();
    for entry in abandoned(journal) {
        if !looked_at(&entry) {
            notes.push(note(&entry));
            continue;
        }
        let still = found
            .iter()
            .any(|status| status.sessions().iter().any(|id| id == entry.session.as_str()));
        if still {
            continue;
        }
        if let Err(error) = journal.remove(&entry.session) {
            notes.push(format!("warning: {error}"));
        }
    }
    // Several sessions on one workload come to one note.
    notes.dedup();
    notes
}

fn note(entry: &Entry) -> String {
    let Entry { workload, context, .. } = entry;
    let namespace = &workload.namespace;
    format!(
        "note: a session of yours on {workload} was cut off; `towline status -n {namespace} --context {context}` tells whether anything of it is left"
    )
}

pub(crate) async fn restore(arguments: &RestoreArguments) -> Result<(), Failure> {
    let format = arguments.output.output;
    let mut progress = Progress::new(format);
    progress.step("looking at the cluster");
    let cluster = cluster(&arguments.cluster).await?;
    let scope = scope(&arguments.scope, &cluster);
    let which = match (&arguments.target, &scope) {
        (Some(target), Scope::Namespace(namespace)) => {
            Which::Target { target: target.clone(), namespace: namespace.clone() }
        }
        _ => Which::Leftovers(scope),
    };
    let results = leftovers::restore(&cluster, &which, LIMIT, &mut |workload, step| {
        progress.step(&words(workload, &step));
    })
    .await;
    let results = results.inspect_err(|_| progress.failed())?;
    progress.done();
    for result in results.iter().filter(|result| result.is_fine() && result.became != Became::Live)
    {
        if let Err(error) = Journal::of_user().settle(cluster.context(), &result.workload) {
            output::complain(&format!("warning: {error}"));
        }
    }
    tell(format, &results);
    let failed: Vec<&RestoreResult> = results.iter().filter(|result| !result.is_fine()).collect();
    match failed.as_slice() {
        [] => Ok(()),
        [one] => Err(failure(one)),
        several => {
            let names: Vec<String> =
                several.iter().map(|result| result.workload.to_string()).collect();
            Err(Failure::new(
                Code::RestoreFailed,
                format!("not all is as it was: {}", names.join(", ")),
            )
            .with_hint(AGAIN))
        }
    }
}

const AGAIN: &str = "do it again when the cause is mended; doing it twice does no harm";

fn failure(result: &RestoreResult) -> Failure {
    match &result.became {
        Became::Failed { error } => Failure::of(error.clone()),
        _ => {
            let rest: Vec<&str> =
                result.not_in_service.iter().chain(&result.left).map(String::as_str).collect();
            Failure::new(
                Code::RestoreFailed,
                format!("{} But: {}", result.sentence(), rest.join("; ")),
            )
            .with_hint(AGAIN)
        }
    }
}

fn tell(format: Format, results: &[RestoreResult]) {
    if format == Format::Json {
        return output::json(&results);
    }
    if results.is_empty() {
        output::complain("nothing to restore");
    }
    for result in results.iter().filter(|result| result.is_fine()) {
        output::print(format!("{}\n", result.sentence()).as_bytes());
    }
}

fn words(workload: &WorkloadRef, step: &Step) -> String {
    let name = format!("{}/{}", workload.kind, workload.name);
    match step {
        Step::Written { .. } => format!("{name}: put back"),
        Step::PodReplaced { name: pod } => format!("{name}: pod {pod} is being replaced"),
        Step::AgentsLeft { .. } => format!("{name}: waiting for the agent's pods to go"),
        Step::Ready { .. } => format!("{name}: waiting for its own pods"),
        Step::Sweeping => format!("{name}: removing the session's objects"),
    }
}
