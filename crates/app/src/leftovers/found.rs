//! From what was found to what is shown.

use towline_core::journal::Entry;
use towline_core::leftovers::SessionStatus;
use towline_workload::WorkloadRef;

use crate::view::Leftover;

pub(super) fn of_journal(entry: &Entry) -> Leftover {
    let restores = match entry.restores_after_s {
        Some(seconds) => {
            format!("The cluster restores it by itself {seconds} s after the session was cut off")
        }
        None => "The cluster does not restore it by itself".to_owned(),
    };
    Leftover {
        id: entry.session.to_string(),
        context: entry.context.clone(),
        namespace: entry.workload.namespace.clone(),
        workload: name(&entry.workload),
        user: None,
        host: None,
        started: Some(entry.started.as_millisecond()),
        message: format!(
            "A session of yours was cut off. {restores}; repairing looks, and puts back what is left."
        ),
        repairing: false,
    }
}

/// `None` where a client keeps the session alive.
pub(super) fn of_cluster(context: &str, status: &SessionStatus) -> Option<(String, Leftover)> {
    if status.is_live() {
        return None;
    }
    let id = status.sessions().first()?.clone();
    let record = status.record.as_ref();
    let message = match (&status.restorer, status.workload_exists) {
        (_, false) => "The workload is gone; its session's objects are still there.".to_owned(),
        (Some(state), true) => {
            format!("Its client is gone. The cluster's restorer is {}.", state.to_lowercase())
        }
        (None, true) => {
            "Its client is gone, and nothing in the cluster restores it by itself.".to_owned()
        }
    };
    let leftover = Leftover {
        id: id.clone(),
        context: context.to_owned(),
        namespace: status.workload.namespace.clone(),
        workload: name(&status.workload),
        user: record.map(|record| record.user.clone()),
        host: record.map(|record| record.host.clone()),
        started: record.map(|record| record.started.as_millisecond()),
        message,
        repairing: false,
    };
    Some((id, leftover))
}

fn name(workload: &WorkloadRef) -> String {
    format!("{}/{}", workload.kind, workload.name)
}
