//! This machine's side of a session: names, volumes. On a machine with a hosts file of its own, so that the real one is not touched.

mod names;
mod volumes;

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
