//! The clusters that are looked at: those that somebody picked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures::future::join_all;
use towline_core::checkup::{self, Finding, LIMIT, UNREACHED, Verdict};
use towline_core::cluster::{Cluster, Kubeconfig};
use towline_core::journal::Entry;

use super::check::{Check, Tone};
use crate::arguments::{ClusterArguments, DiagnosticsArguments};

/// A context with what is asked of it.
#[derive(Debug)]
pub(super) struct Picked {
    arguments: ClusterArguments,
    /// Those of the sessions; of none, the context's own one counts.
    namespaces: Vec<String>,
}

/// The contexts that are named, or else the current one; and those of the sessions that run here, with the kubeconfigs that these were begun with.
pub(super) fn picked<'a>(
    arguments: &DiagnosticsArguments,
    sessions: impl IntoIterator<Item = &'a Entry>,
) -> Vec<Picked> {
    let current = || {
        let kubeconfig = Kubeconfig::load(arguments.kubeconfig.as_deref()).ok()?;
        kubeconfig.current().map(str::to_owned)
    };
    let named: Vec<Option<String>> = match arguments.context.as_slice() {
        [] => vec![current()],
        named => named.iter().cloned().map(Some).collect(),
    };
    let mut all: BTreeMap<(Option<String>, Option<PathBuf>), Vec<String>> = BTreeMap::new();
    for context in named {
        all.entry((context, arguments.kubeconfig.clone())).or_default();
    }
    for session in sessions {
        let key = (Some(session.context.clone()), session.kubeconfig.clone());
        let namespaces = all.entry(key).or_default();
        if !namespaces.contains(&session.workload.namespace) {
            namespaces.push(session.workload.namespace.clone());
        }
    }
    let picked = all.into_iter().map(|((context, kubeconfig), namespaces)| Picked {
        arguments: ClusterArguments { context, kubeconfig },
        namespaces,
    });
    picked.collect()
}

/// Looks at all of them at once.
pub(super) async fn checks(picked: &[Picked]) -> Vec<Check> {
    join_all(picked.iter().map(of_one)).await.into_iter().flatten().collect()
}

async fn of_one(picked: &Picked) -> Vec<Check> {
    let context = picked.arguments.context.as_deref();
    let cluster = match open(&picked.arguments).await {
        Ok(cluster) => cluster,
        Err(check) => return vec![of_context(context, check)],
    };
    let context = Some(cluster.context());
    let latency = checkup::latency(&cluster).await;
    let reached = latency.verdict != Verdict::Bad;
    let mut checks = vec![of_context(context, of_finding("cluster", latency))];
    if reached {
        let default = [cluster.default_namespace().to_owned()];
        let namespaces =
            if picked.namespaces.is_empty() { default.as_slice() } else { &picked.namespaces };
        for namespace in namespaces {
            let rights = of_finding("rights", checkup::rights(&cluster, namespace).await);
            checks.push(of_context(context, rights));
        }
    }
    checks
}

async fn open(arguments: &ClusterArguments) -> Result<Cluster, Check> {
    match tokio::time::timeout(LIMIT, crate::list::cluster(arguments)).await {
        Ok(Ok(cluster)) => Ok(cluster),
        Ok(Err(failure)) => {
            let report = failure.report;
            Err(Check::new("cluster", Tone::Bad, report.message, report.hint))
        }
        Err(_) => {
            let message = format!("It does not answer within {} s.", LIMIT.as_secs());
            Err(Check::bad("cluster", message, UNREACHED))
        }
    }
}

fn of_finding(title: &str, finding: Finding) -> Check {
    let tone = match finding.verdict {
        Verdict::Good => Tone::Good,
        Verdict::Warning => Tone::Warning,
        Verdict::Bad => Tone::Bad,
    };
    Check::new(title, tone, finding.message, finding.fix)
}

/// Says which context it is about.
fn of_context(context: Option<&str>, check: Check) -> Check {
    match context {
        Some(context) => Check {
            message: format!("{context}: {}", check.message),
            context: Some(context.to_owned()),
            ..check
        },
        None => check,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;
    use towline_core::journal::Entry;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn arguments(words: &[&str]) -> DiagnosticsArguments {
        let all = ["towline", "diagnostics"].iter().chain(words);
        match Arguments::try_parse_from(all).unwrap().command {
            Command::Diagnostics(arguments) => arguments,
            other => panic!("{other:?}"),
        }
    }

    fn session(context: &str, kubeconfig: Option<&str>, namespace: &str) -> Entry {
        serde_json::from_value(serde_json::json!({
            "session": "0123456789ab",
            "context": context,
            "kubeconfig": kubeconfig,
            "workload": { "kind": "deployment", "namespace": namespace, "name": "orders" },
            "lease": "towline-orders",
            "restores_after_s": 60,
            "directory": "/run/user/1000/towline/0123456789ab",
            "started": "2026-01-01T00:00:00Z",
            "pid": 1,
            "process_started": 1,
        }))
        .unwrap()
    }

    #[test]
    fn named_contexts_and_those_of_sessions_are_looked_at_once_each() {
        let sessions = [
            session("b", None, "shop"),
            session("b", None, "shop"),
            session("b", None, "stock"),
            session("c", Some("/other"), "shop"),
        ];
        let all = picked(&arguments(&["--context", "a", "--context", "b"]), &sessions);
        let all: Vec<_> = all
            .iter()
            .map(|one| {
                let file = one.arguments.kubeconfig.as_ref().map(|file| file.to_str().unwrap());
                (one.arguments.context.as_deref().unwrap(), file, one.namespaces.as_slice())
            })
            .collect();
        assert_eq!(all.len(), 3);
        assert_eq!(all[0], ("a", None, [].as_slice()));
        assert_eq!(all[1], ("b", None, ["shop".to_owned(), "stock".to_owned()].as_slice()));
        assert_eq!(all[2], ("c", Some("/other"), ["shop".to_owned()].as_slice()));
    }

    #[test]
    fn without_a_name_the_current_context_is_picked_and_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        let text = "apiVersion: v1\nkind: Config\ncurrent-context: b\ncontexts:\n- {name: a, context: {cluster: x, user: y}}\n- {name: b, context: {cluster: x, user: y}}\n";
        std::fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        let all = picked(&arguments(&["--kubeconfig", file]), &[]);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].arguments.context.as_deref(), Some("b"));
    }
}
