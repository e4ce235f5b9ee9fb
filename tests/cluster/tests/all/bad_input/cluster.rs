//! What the cluster itself can have against a session: it is found out, told with the cluster's own words, and undone.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::{app, eventually, image};

const WEB: &str = "deployment/web";

/// The session did not start for a reason that the cluster gave in these words.
async fn not_started(ns: &Namespace, arguments: &[&str], words: &str) -> Result<Value> {
    let finished =
        ns.connect_and_finish(&[&[WEB, "--timeout", "15s"], arguments].concat(), &[]).await?;
    let report = finished.refused("agent_not_started", 6, &[])?;
    ensure!(report.to_string().contains(words), "the cause is not told: {report:#}");
    ns.nothing_left().await?;
    Ok(report)
}

#[tokio::test]
async fn quotas() -> Result<()> {
    let ns = Namespace::create("quota").await?;
    ns.http_app("web", 1).await?;
    let quota = |pods: &str| {
        json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": pods}},
        })
    };
    let in_force = |pods: &'static str| {
        let ns = &ns;
        async move {
            ns.apply([quota(pods)]).await?;
            eventually("the quota is in force", || async {
                let quotas = ns.kubectl(&[
                    "get",
                    "quota",
                    "few",
                    "-o",
                    "jsonpath={.status.hard.pods} {.status.used.pods}",
                ]);
                Ok((quotas.await? == format!("{pods} 1")).then_some(()))
            })
            .await
        }
    };
    // No room for the restorer: the workload is not touched.
    in_force("1").await?;
    let before = ns.fingerprint().await?;
    not_started(&ns, &[], "exceeded quota").await?;
    ns.unchanged(&before).await?;

    // Room for the restorer, none for the agent's pod beside the one that serves.
    in_force("2").await?;
    let before = ns.workload("Deployment", "web").await?;
    not_started(&ns, &[], "exceeded quota").await?;
    ns.back("Deployment", "web", &before, 1).await
}

/// A webhook that nobody answers, asked about one resource of one namespace. Removed when dropped.
struct Webhook<'a>(&'a Namespace);

impl<'a> Webhook<'a> {
    async fn install(
        ns: &'a Namespace,
        operation: &str,
        group: &str,
        resource: &str,
    ) -> Result<Self> {
        ns.kubectl(&[
            "label",
            "namespace",
            &ns.name,
            &format!("towline-tests={}", ns.name),
            "--overwrite",
        ])
        .await?;
        let guard = Self(ns);
        ns.kubectl_apply([json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": ns.name},
            "webhooks": [{
                "name": "policy.acme.example", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "failurePolicy": "Fail", "timeoutSeconds": 2,
                "clientConfig": {"url": "https://127.0.0.1:1/"},
                "namespaceSelector": {"matchLabels": {"towline-tests": ns.name}},
                "rules": [{
                    "operations": [operation], "apiGroups": [group], "apiVersions": ["v1"], "resources": [resource],
                }],
            }],
        })])
        .await?;
        // The API server takes a moment to know it: until then a change that alters nothing is let through.
        eventually("the webhook is asked", || async {
            let dry_run = if resource == "pods" {
                ns.kubectl(&["run", "probe", "--image", image::BUSYBOX, "--dry-run=server"]).await
            } else {
                ns.kubectl(&["annotate", WEB, "probe=1", "--overwrite", "--dry-run=server"]).await
            };
            Ok(dry_run.is_err().then_some(()))
        })
        .await?;
        Ok(guard)
    }
}

impl Drop for Webhook<'_> {
    fn drop(&mut self) {
        let Ok(kubeconfig) = self.0.kubeconfig() else { return };
        let _ = std::process::Command::new("kubectl")
            .args([
                "--kubeconfig",
                &kubeconfig,
                "delete",
                "validatingwebhookconfiguration",
                &self.0.name,
            ])
            .output();
    }
}

#[tokio::test]
async fn admission() -> Result<()> {
    let ns = Namespace::create("admission").await?;
    ns.http_app("web", 1).await?;
    let before = ns.fingerprint().await?;
    let pods = Webhook::install(&ns, "CREATE", "", "pods").await?;
    not_started(&ns, &[], "policy.acme.example").await?;
    ns.unchanged(&before).await?;
    drop(pods);

    let _workloads = Webhook::install(&ns, "UPDATE", "apps", "deployments").await?;
    for finished in [
        ns.run(&["plan", WEB, "-n", &ns.name, "-o", "json"]).await?,
        ns.connect_and_finish(&[WEB], &[]).await?,
    ] {
        ensure!(finished.stdout.contains("policy.acme.example"), "{finished:?}");
    }
    let refused = ns.connect_and_finish(&[WEB], &[]).await?;
    ensure!(!refused.status.success(), "{refused:?}");
    let message = refused.report()?["message"].as_str().context("a message")?.to_owned();
    ensure!(message.contains("policy.acme.example"), "{message}");
    ns.unchanged(&before).await
}

#[tokio::test]
async fn a_pod_that_is_never_scheduled() -> Result<()> {
    let ns = Namespace::create("unscheduled").await?;
    let mut web = app::deployment("web", 1, &[app::container(app::HTTP, 8080)]);
    web["spec"]["template"]["spec"]["nodeSelector"] = json!({"disk": "golden"});
    ns.apply([web]).await?;
    eventually("its pod is there", || async {
        Ok((ns.pods("web").await?.len() == 1).then_some(()))
    })
    .await?;
    let before = ns.workload("Deployment", "web").await?;
    // Kubernetes 1.20: "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity."
    not_started(&ns, &[], "nodes are available").await?;
    ensure!(ns.workload("Deployment", "web").await? == before, "it is not what it was");
    Ok(())
}

#[tokio::test]
async fn agents_that_do_not_match() -> Result<()> {
    const OTHER: &str = "sandbox.local/other-agent:9.9.9";
    // It speaks protocols 7 to 9 only, and says so, as crates/wire/src/handshake.rs defines it. As a restorer it does nothing.
    let refusal = json!({"refused": {"reason": "version", "release": "9.9.9", "versions": {"oldest": 7, "newest": 9}}});
    let refusal = refusal.to_string();
    let agent = r#"#!/bin/busybox sh
trap 'exit 0' TERM
if [ "$1" = serve ]; then
    while [ $# -gt 0 ]; do
        case "$1" in
            --control-port) port=$2 ;;
            --control-port=*) port=${1#*=} ;;
        esac
        shift
    done
    /bin/busybox nc -ll -p "$port" -e /answer &
else
    /bin/busybox sleep 3600 &
fi
wait
"#;
    let answer = format!(
        "#!/bin/busybox sh\n/bin/busybox head -c 8 >/dev/null\n/bin/busybox printf '\\000\\000\\000\\{:03o}%s' '{refusal}'\n/bin/busybox sleep 1\n",
        refusal.len()
    );
    image::load(OTHER, &[("towline-agent", agent), ("answer", &answer)]).await?;
    let ns = Namespace::create("versions").await?;
    ns.http_app("web", 1).await?;
    let fingerprint = ns.fingerprint().await?;

    // Not an agent at all: found out by the restorer, before anything is touched.
    let report = not_started(&ns, &["--agent-image", app::IMAGE], "towline-agent").await?;
    ensure!(report["message"].to_string().contains(app::IMAGE), "which image: {report:#}");
    ns.unchanged(&fingerprint).await?;

    let before = ns.workload("Deployment", "web").await?;
    let finished = ns.connect_and_finish(&[WEB, "--agent-image", OTHER], &[]).await?;
    finished.refused("agent_version", 6, &["9.9.9"])?;
    ns.back("Deployment", "web", &before, 1).await
}
