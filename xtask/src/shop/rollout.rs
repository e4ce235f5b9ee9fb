//! The application in a cluster.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::{paths, progress::step, sandbox::Sandbox};

/// Its workloads, in the order in which they are waited for.
const WORKLOADS: &[&str] = &[
    "statefulset/catalogue",
    "deployment/redis",
    "deployment/greeter",
    "deployment/orders",
    "deployment/gateway",
];

/// How long each of them may take: an image is there already, so that this is a slow machine or a mistake.
const LIMIT: &str = "120s";

/// Deploys the application into the namespace `shop` and waits until all of it is ready. Its images ([`super::images`]) have to be loaded before.
///
/// # Errors
///
/// When the manifests are refused, or a workload is not ready in time; the error then tells the pods' states and the last events.
pub(crate) fn deploy(kubeconfig: &Path) -> Result<()> {
    let sh = Shell::new()?;
    let kubectl = kubectl()?;
    let manifests = paths::root().join("sandbox/shop/shop.yaml");
    step("shop: manifests", || {
        cmd!(sh, "{kubectl} --kubeconfig {kubeconfig} apply --filename {manifests}")
            .quiet()
            .ignore_stdout()
            .run()?;
        Ok(())
    })?;
    for workload in WORKLOADS {
        step(&format!("shop: {workload}"), || {
            let ready = cmd!(sh, "{kubectl} --kubeconfig {kubeconfig} --namespace shop rollout status {workload} --timeout {LIMIT}")
                .quiet()
                .ignore_stdout()
                .run();
            let Err(error) = ready else { return Ok(()) };
            let look = |what: &[&str]| {
                cmd!(sh, "{kubectl} --kubeconfig {kubeconfig} --namespace shop get {what...}")
                    .quiet()
                    .ignore_status()
                    .read()
            };
            let pods = look(&["pods", "--output", "wide"])?;
            let events = look(&["events", "--sort-by", ".lastTimestamp"])?;
            let last: Vec<_> = events.lines().rev().take(15).collect();
            let last: Vec<_> = last.into_iter().rev().collect();
            bail!("{workload} is not ready after {LIMIT} ({error})\n{pods}\n{}", last.join("\n"));
        })?;
    }
    Ok(())
}

/// The sandbox's own `kubectl` where there is one, else the user's.
fn kubectl() -> Result<PathBuf> {
    let own = Sandbox::from_environment()
        .context("find the sandbox's kubectl")?
        .binaries()
        .join("kubectl");
    Ok(if own.exists() { own } else { PathBuf::from("kubectl") })
}
