//! What somebody else does to the cluster, with `kubectl`, as they do it.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::namespace::Namespace;

impl Namespace {
    /// Runs `kubectl ARGUMENTS` in this namespace and gives what it printed.
    ///
    /// # Errors
    /// When it fails, with what it wrote on standard error.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.kubectl_with(arguments, &[]).await
    }

    /// `kubectl apply` of these manifests, as a developer or a pipeline deploys: with the last applied configuration kept by kubectl.
    ///
    /// # Errors
    /// When it fails, with what it wrote on standard error.
    pub async fn kubectl_apply(&self, manifests: impl IntoIterator<Item = Value>) -> Result<()> {
        let items: Vec<Value> = manifests.into_iter().collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
        self.kubectl_with(&["apply", "-f", "-"], list.as_bytes()).await.map(drop)
    }

    /// Runs `kubectl ARGUMENTS` in this namespace with `input` on its standard input.
    ///
    /// # Errors
    /// When it fails, with what it wrote on standard error.
    pub async fn kubectl_with(&self, arguments: &[&str], input: &[u8]) -> Result<String> {
        let mut child = Command::new("kubectl")
            .args(["--kubeconfig", &self.kubeconfig()?, "--namespace", &self.name])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting kubectl")?;
        let mut stdin = child.stdin.take().context("kubectl's standard input")?;
        stdin.write_all(input).await?;
        drop(stdin);
        let output = child.wait_with_output().await?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubectl {}: {}", arguments.join(" "), error.trim());
        Ok(String::from_utf8(output.stdout)?)
    }
}
