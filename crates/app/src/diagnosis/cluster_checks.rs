//! Checks of the clusters that are connected.

use towline_core::checkup::{self, Finding, Verdict};
use towline_core::cluster::Cluster;
use towline_core::plan::DEFAULT_AGENT_IMAGE;

use super::{WithFix, check};
use crate::view::{App, ClusterPhase, DiagnosticAction, DiagnosticCheck, TableState, Tone};

/// Clusters that were picked and could not be opened.
pub(super) fn not_connected(app: &App) -> Vec<DiagnosticCheck> {
    let failed = app.clusters.iter().filter_map(|cluster| match &cluster.phase {
        ClusterPhase::Failed { report } => Some((&cluster.context, report)),
        _ => None,
    });
    failed
        .map(|(context, report)| {
            let check = check(
                &format!("connection:{context}"),
                context,
                "Connection",
                Tone::Bad,
                &report.message,
            );
            let fix = report.hint.clone().unwrap_or_else(|| "Connect again.".to_owned());
            check.fix(fix).action(DiagnosticAction::ConnectCluster { context: context.clone() })
        })
        .collect()
}

/// Everything about one cluster.
pub(super) async fn all(
    cluster: &Cluster,
    namespaces: &[String],
    app: &App,
) -> Vec<DiagnosticCheck> {
    let latency = latency(cluster).await;
    let reached = latency.tone != Tone::Bad;
    let mut checks = vec![latency, agent_image(cluster, app)];
    checks.extend(watches(cluster, app));
    if reached {
        let names = match namespaces {
            [] => vec![cluster.default_namespace().to_owned()],
            names => names.to_vec(),
        };
        let rights = names.iter().map(|namespace| rights(cluster, namespace));
        checks.extend(futures::future::join_all(rights).await);
    }
    checks
}

async fn latency(cluster: &Cluster) -> DiagnosticCheck {
    of_finding("api-latency", "API latency", cluster.context(), checkup::latency(cluster).await)
}

fn agent_image(cluster: &Cluster, app: &App) -> DiagnosticCheck {
    let context = cluster.context();
    let make = |tone, message: String| {
        check(&format!("agent-image:{context}"), context, "Agent's image", tone, message)
    };
    let own = app.preferences.contexts.iter().find(|known| known.context == context);
    match own.and_then(|own| own.agent_image.as_deref()) {
        Some(image) => make(Tone::Good, format!("{image}, as the settings say.")),
        None => make(
            Tone::Neutral,
            format!("{DEFAULT_AGENT_IMAGE}: the default, which the cluster's nodes must have."),
        )
        .fix("Push the image with `towline agent push REGISTRY/NAME:TAG`, and name it in the settings.")
        .action(DiagnosticAction::OpenSettings),
    }
}

/// Tables that are not current, and why.
fn watches(cluster: &Cluster, app: &App) -> Option<DiagnosticCheck> {
    let context = cluster.context();
    let known = app.clusters.iter().find(|known| known.context == context)?;
    let refused = known.tables.iter().find_map(|table| match &table.state {
        TableState::Forbidden { report } | TableState::Stale { report, .. } => Some(report),
        _ => None,
    });
    let make =
        |tone, message: &str| check(&format!("watches:{context}"), context, "Lists", tone, message);
    Some(match refused {
        None => make(Tone::Good, "Services, workloads and pods are followed."),
        Some(report) => {
            let check = make(Tone::Warning, &report.message);
            check.fix(report.hint.clone().unwrap_or_else(|| "It is tried again by itself.".into()))
        }
    })
}

async fn rights(cluster: &Cluster, namespace: &str) -> DiagnosticCheck {
    let mut check = of_finding(
        "rights",
        "Rights",
        cluster.context(),
        checkup::rights(cluster, namespace).await,
    );
    check.id = format!("{}:{namespace}", check.id);
    check
}

fn of_finding(id: &str, title: &str, context: &str, finding: Finding) -> DiagnosticCheck {
    let tone = match finding.verdict {
        Verdict::Good => Tone::Good,
        Verdict::Warning => Tone::Warning,
        Verdict::Bad => Tone::Bad,
    };
    let check = check(&format!("{id}:{context}"), context, title, tone, finding.message);
    DiagnosticCheck { fix: finding.fix, ..check }
}
