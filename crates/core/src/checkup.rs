//! What is looked at of one cluster to tell whether sessions will go well, as `towline diagnostics` and the window say it: each with one fix.

use std::time::{Duration, Instant};

use towline_workload::{Kind, WorkloadRef};

use crate::cluster::Cluster;
use crate::preflight::{self, Right};
use crate::report::{Explain, Report};

/// How long an API server may take before that counts as no answer.
pub const LIMIT: Duration = Duration::from_secs(10);

/// What to do about a cluster that does not answer in time.
pub const UNREACHED: &str =
    "Look at the network between this machine and the cluster: VPN, proxy, firewall.";

/// A slower answer makes each new connection through a session feel slow.
const SLOW: Duration = Duration::from_millis(300);

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub verdict: Verdict,
    /// A sentence.
    pub message: String,
    /// What to do about it; there is always something where the verdict is not [`Verdict::Good`].
    pub fix: Option<String>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Good,
    /// Sessions are possible, with less or slower.
    Warning,
    /// No session is possible.
    Bad,
}

impl Finding {
    fn good(message: String) -> Self {
        Self { verdict: Verdict::Good, message, fix: None }
    }

    fn new(verdict: Verdict, message: String, fix: impl Into<String>) -> Self {
        Self { verdict, message, fix: Some(fix.into()) }
    }

    fn of(verdict: Verdict, report: Report, fix: &str) -> Self {
        Self::new(verdict, report.message, report.hint.unwrap_or_else(|| fix.to_owned()))
    }
}

/// How soon the API server answers.
pub async fn latency(cluster: &Cluster) -> Finding {
    let client = cluster.client();
    let version = &cluster.version().text;
    let begun = Instant::now();
    let answer = tokio::time::timeout(LIMIT, client.apiserver_version()).await;
    let took = begun.elapsed();
    match answer {
        // Whatever it says, it has answered.
        Ok(Ok(_) | Err(kube::Error::Api(_))) if took < SLOW => {
            Finding::good(format!("The API server ({version}) answers in {} ms.", took.as_millis()))
        }
        Ok(Ok(_) | Err(kube::Error::Api(_))) => Finding::new(
            Verdict::Warning,
            format!("The API server ({version}) takes {} ms to answer.", took.as_millis()),
            "Look at the network between this machine and the cluster: VPN, proxy, Wi-Fi.",
        ),
        Ok(Err(error)) => {
            let report = cluster.explain("reach the cluster", error).explain();
            Finding::of(Verdict::Bad, report, "Look at the network.")
        }
        Err(_) => Finding::new(
            Verdict::Bad,
            format!("The API server does not answer within {} s.", LIMIT.as_secs()),
            UNREACHED,
        ),
    }
}

/// Whether a Deployment of the namespace could be redirected. One that does not exist stands for all: rights are seldom given by name.
pub async fn rights(cluster: &Cluster, namespace: &str) -> Finding {
    const FIX: &str = "Ask an administrator for the role that `towline rbac` prints.";
    let any = WorkloadRef {
        kind: Kind::Deployment,
        namespace: namespace.to_owned(),
        name: "towline-diagnosis".to_owned(),
    };
    let namespaces = [namespace.to_owned()];
    let asked = preflight::rights(cluster, &any, &namespaces);
    let rights = match tokio::time::timeout(LIMIT, asked).await {
        Ok(Ok(rights)) => rights,
        Ok(Err(error)) => return Finding::of(Verdict::Warning, error.explain(), "Try again."),
        Err(_) => {
            let late = format!("It is not said within {} s what you may do.", LIMIT.as_secs());
            return Finding::new(Verdict::Warning, late, UNREACHED);
        }
    };
    if rights.is_mute() {
        let mute =
            format!("The cluster does not let you ask what you may do in namespace {namespace}.");
        return Finding::new(Verdict::Warning, mute, FIX);
    }
    let named = |right: &Right| format!("{} {}", right.verb, right.resource);
    let forbidding: Vec<String> = rights.forbidding().map(named).collect();
    let missing: Vec<String> = rights.missing().map(named).collect();
    match (forbidding.as_slice(), missing.as_slice()) {
        ([], []) => {
            Finding::good(format!("You hold all rights for Deployments in namespace {namespace}."))
        }
        ([], missing) => {
            let may = format!("Sessions are possible in namespace {namespace}, with less");
            let message = format!("{may}: you may not {}.", missing.join(", "));
            Finding::new(Verdict::Warning, message, FIX)
        }
        (forbidding, _) => {
            let no = format!("No session is possible in namespace {namespace}");
            let message = format!("{no}: you may not {}.", forbidding.join(", "));
            Finding::new(Verdict::Bad, message, FIX)
        }
    }
}
