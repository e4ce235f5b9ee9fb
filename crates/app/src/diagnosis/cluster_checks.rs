//! Checks of the clusters that are connected.

use std::time::{Duration, Instant};

use towline_core::cluster::Cluster;
use towline_core::plan::DEFAULT_AGENT_IMAGE;
use towline_core::preflight::{self, Right};
use towline_workload::{Kind, WorkloadRef};

use super::{WithFix, check};
use crate::report::explained;
use crate::view::{App, ClusterPhase, DiagnosticAction, DiagnosticCheck, Report, TableState, Tone};

/// How long an answer may take before it counts as none.
const LIMIT: Duration = Duration::from_secs(10);

/// A slower answer makes each new connection through a session feel slow.
const SLOW: Duration = Duration::from_millis(300);

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
    let context = cluster.context();
    let make = |tone, message: String| {
        check(&format!("api-latency:{context}"), context, "API latency", tone, message)
    };
    let client = cluster.client();
    let begun = Instant::now();
    let answer = tokio::time::timeout(LIMIT, client.apiserver_version()).await;
    let took = begun.elapsed();
    match answer {
        // Whatever it says, it has answered.
        Ok(Ok(_) | Err(kube::Error::Api(_))) if took < SLOW => {
            make(Tone::Good, format!("The API server answers in {} ms.", took.as_millis()))
        }
        Ok(Ok(_) | Err(kube::Error::Api(_))) => {
            make(Tone::Warning, format!("The API server takes {} ms to answer.", took.as_millis()))
                .fix("Look at the network between this machine and the cluster: VPN, proxy, Wi-Fi.")
        }
        Ok(Err(error)) => {
            let Report { message, hint, .. } =
                explained(&cluster.explain("reach the cluster", error));
            let check = make(Tone::Bad, message);
            check.fix(hint.unwrap_or_else(|| "Look at the network.".to_owned()))
        }
        Err(_) => make(
            Tone::Bad,
            format!("The API server does not answer within {} s.", LIMIT.as_secs()),
        )
        .fix("Look at the network between this machine and the cluster: VPN, proxy, firewall."),
    }
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

/// Whether a Deployment of the namespace could be redirected. One that does not exist stands for all: rights are seldom given by name.
async fn rights(cluster: &Cluster, namespace: &str) -> DiagnosticCheck {
    let context = cluster.context();
    let make = |tone, message: String| {
        check(&format!("rights:{context}:{namespace}"), context, "Rights", tone, message)
    };
    const FIX: &str = "Ask an administrator for the role that `towline rbac` prints.";
    let any = WorkloadRef {
        kind: Kind::Deployment,
        namespace: namespace.to_owned(),
        name: "towline-diagnosis".to_owned(),
    };
    let rights = match preflight::rights(cluster, &any, &[namespace.to_owned()]).await {
        Ok(rights) => rights,
        Err(error) => {
            let report = explained(&error);
            let hint = report.hint.unwrap_or_else(|| "Try again.".to_owned());
            return make(Tone::Warning, report.message).fix(hint);
        }
    };
    let named = |right: &Right| format!("{} {}", right.verb, right.resource);
    let forbidding: Vec<String> = rights.forbidding().map(named).collect();
    let missing: Vec<String> = rights.missing().map(named).collect();
    match (forbidding.as_slice(), missing.as_slice()) {
        ([], []) => {
            let all = format!("You hold all rights for Deployments in namespace {namespace}.");
            make(Tone::Good, all)
        }
        ([], missing) => {
            let may = format!("Sessions are possible in namespace {namespace}, with less");
            make(Tone::Warning, format!("{may}: you may not {}.", missing.join(", "))).fix(FIX)
        }
        (forbidding, _) => {
            let no = format!("No session is possible in namespace {namespace}");
            make(Tone::Bad, format!("{no}: you may not {}.", forbidding.join(", "))).fix(FIX)
        }
    }
}
