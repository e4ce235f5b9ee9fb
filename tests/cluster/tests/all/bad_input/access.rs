//! What can be wrong on the way to the cluster.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use towline_cluster_tests::namespace::Namespace;

/// How a session is asked for with this kubeconfig, and refused with these words.
async fn refused(
    ns: &Namespace,
    kubeconfig: &Path,
    more: &[&str],
    code: &str,
    named: &[&str],
) -> Result<Value> {
    let finished = ns
        .run_with(kubeconfig, &ns.connect_arguments(&[&["deployment/web"], more].concat(), &[]))
        .await?;
    let status = if ["exec_plugin", "unreachable", "unauthorized"].contains(&code) { 3 } else { 2 };
    finished.refused(code, status, named)
}

fn says(report: &Value, part: &str) -> Result<()> {
    ensure!(report.to_string().contains(part), "'{part}' is not told: {report:#}");
    Ok(())
}

#[tokio::test]
async fn kubeconfigs() -> Result<()> {
    let ns = Namespace::create("kubeconfigs").await?;
    let missing = ns.home.path().join("no-such-kubeconfig");
    refused(&ns, &missing, &[], "kubeconfig_missing", &["no-such-kubeconfig"]).await?;

    let broken = ns.home.path().join("broken-kubeconfig");
    std::fs::write(&broken, "clusters: [\n")?;
    refused(&ns, &broken, &[], "kubeconfig_broken", &["broken-kubeconfig"]).await?;

    let whole = ns.kubeconfig_with("whole", |_| {}).await?;
    let known = ns.kubectl(&["config", "current-context"]).await?;
    let report =
        refused(&ns, &whole, &["--context", "nowhere"], "context_unknown", &["nowhere"]).await?;
    says(&report, known.trim())?;

    // For a person: the same on standard error, and nothing on standard output.
    let finished =
        ns.run_with(&whole, &["connect", "deployment/web", "--context", "nowhere"]).await?;
    ensure!(finished.status.code() == Some(2) && finished.stdout.is_empty(), "{finished:?}");
    for part in ["error: ", "nowhere", "hint: "] {
        ensure!(finished.stderr.contains(part), "'{part}' is not told: {}", finished.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn exec_plugins() -> Result<()> {
    let ns = Namespace::create("plugins").await?;
    let with = |command: String| {
        move |config: &mut Value| {
            config["users"][0]["user"] = json!({"exec": {
                "apiVersion": "client.authentication.k8s.io/v1beta1",
                "command": command,
                "installHint": "install it with: acme install",
                "interactiveMode": "Never",
            }});
        }
    };
    let kubeconfig = ns.kubeconfig_with("missing", with("acme-login".into())).await?;
    let report = refused(&ns, &kubeconfig, &[], "exec_plugin", &["acme-login"]).await?;
    says(&report, "/usr/bin")?;
    says(&report, "acme install")?;

    let plugin = ns.home.path().join("acme-login");
    std::fs::write(&plugin, "#!/bin/sh\necho 'acme: your session has expired' >&2\nexit 3\n")?;
    std::fs::set_permissions(&plugin, PermissionsExt::from_mode(0o755))?;
    let kubeconfig = ns.kubeconfig_with("failing", with(plugin.to_string_lossy().into())).await?;
    let report = refused(&ns, &kubeconfig, &[], "exec_plugin", &["acme-login"]).await?;
    says(&report, "acme: your session has expired")
}

#[tokio::test]
async fn servers_that_do_not_answer() -> Result<()> {
    let ns = Namespace::create("servers").await?;
    let at = |address: String| {
        move |config: &mut Value| config["clusters"][0]["cluster"]["server"] = address.into()
    };
    let kubeconfig = ns.kubeconfig_with("refused", at("https://127.0.0.1:1".into())).await?;
    let report = refused(&ns, &kubeconfig, &[], "unreachable", &["127.0.0.1:1"]).await?;
    says(&report, "refused")?;

    // The system takes connections for it; nobody ever reads.
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = silent.local_addr()?.to_string();
    let kubeconfig = ns.kubeconfig_with("silent", at(format!("https://{address}"))).await?;
    let start = Instant::now();
    refused(&ns, &kubeconfig, &[], "unreachable", &[&address]).await?;
    ensure!(start.elapsed() < Duration::from_secs(40), "it took {:?}", start.elapsed());

    let stranger = ns.kubeconfig_with("stranger", |config| {
        if let Some(cluster) = config["clusters"][0]["cluster"].as_object_mut() {
            cluster.remove("certificate-authority-data");
        }
    });
    let report = refused(&ns, &stranger.await?, &[], "unreachable", &[]).await?;
    ensure!(report.to_string().to_lowercase().contains("certificate"), "{report:#}");
    Ok(())
}

#[tokio::test]
async fn tokens_that_are_not_accepted() -> Result<()> {
    let ns = Namespace::create("tokens").await?;
    ns.http_app("web", 1).await?;
    let before = ns.fingerprint().await?;
    // Of the right form, signed by nobody, and expired in 2001.
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJub2JvZHkiLCJleHAiOjEwMDAwMDAwMDB9.c2lnbmF0dXJl";
    let kubeconfig =
        ns.kubeconfig_with("token", |config| config["users"][0]["user"] = json!({"token": token}));
    let kubeconfig = kubeconfig.await?;
    for more in [&[] as &[&str], &["--take-over"]] {
        let report = refused(&ns, &kubeconfig, more, "unauthorized", &[]).await?;
        ensure!(!report.to_string().contains(token), "the token is told: {report:#}");
    }
    ns.unchanged(&before).await
}
