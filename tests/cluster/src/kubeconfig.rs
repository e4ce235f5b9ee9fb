//! Kubeconfigs that differ from the administrator's in one thing.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::namespace::Namespace;
use crate::towline::{Finished, run};

impl Namespace {
    /// Writes the administrator's kubeconfig as `name` into this test's directory, after `change` has had it: one cluster, one user, one context, in
    /// the JSON form that kubectl knows.
    ///
    /// # Errors
    /// When there is no kubeconfig.
    pub async fn kubeconfig_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<PathBuf> {
        let text = self
            .kubectl(&["config", "view", "--raw", "--flatten", "--minify", "-o", "json"])
            .await?;
        let mut value: Value = serde_json::from_str(&text)?;
        change(&mut value);
        let path = self.home.path().join(name);
        std::fs::write(&path, value.to_string())
            .with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    /// Runs `towline ARGUMENTS` to its end with this kubeconfig and a home without one.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn run_with(
        &self,
        kubeconfig: &std::path::Path,
        arguments: &[&str],
    ) -> Result<Finished> {
        let mut command = self.towline(arguments)?;
        command.env("KUBECONFIG", kubeconfig).env("HOME", self.home.path());
        run(command).await
    }
}
