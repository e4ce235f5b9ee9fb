//! This machine's side of a session: names, volumes. On a machine with a hosts file of its own, so that the real one is not touched.

mod names;
mod volumes;

use std::fs;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Namespace as KubeNamespace;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams};
use towline_cluster_tests::hosts::OwnHosts;
use towline_cluster_tests::namespace::{Namespace, admin};

/// Measures everything; the figures go to standard output as they come.
pub(crate) async fn run() -> Result<()> {
    sweep().await?;
    let names = names::measure().await;
    let volumes = volumes::measure().await;
    names.context("names")?;
    volumes.context("volumes")
}

/// Removes what a run that was killed has left.
async fn sweep() -> Result<()> {
    let namespaces: Api<KubeNamespace> = Api::all(admin().await?);
    for namespace in namespaces.list(&ListParams::default()).await?.items {
        let name = namespace.name_any();
        if name.starts_with("bench-names-") || name.starts_with("bench-volumes-") {
            namespaces.delete(&name, &DeleteParams::default()).await?;
        }
    }
    Ok(())
}

/// A namespace, and a machine with a hosts file of its own.
async fn place(name: &str) -> Result<(Namespace, OwnHosts)> {
    Ok((Namespace::create(name).await?, OwnHosts::new().await?))
}

/// What a process has in memory, in megabytes: proportional (what n processes share counts an n-th), and all that is resident.
fn memory(id: u32) -> Result<(f64, f64)> {
    let path = format!("/proc/{id}/smaps_rollup");
    let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kilobytes: f64 = kilobytes.with_context(|| format!("{name} in {path}"))?.parse()?;
        anyhow::Ok(kilobytes * 1024.0 / 1e6)
    };
    Ok((field("Pss:")?, field("Rss:")?))
}
