//! One benchmark at a time, and nothing left of one that was killed.

use std::fs::File;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Namespace as KubeNamespace;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams};
use kube::runtime::wait::{await_condition, conditions};
use towline_cluster_tests::namespace::{Namespace, admin};

/// The names of its namespaces begin so.
const PREFIX: &str = "bench-window";

/// A namespace that [`sweep`] finds again.
pub(crate) async fn namespace() -> Result<Namespace> {
    Namespace::create(PREFIX).await
}

/// Waits for another benchmark to end; the next waits for this one as long as the value lives.
pub(crate) fn alone() -> Result<File> {
    let path = std::env::temp_dir().join("towline-window-bench.lock");
    let file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
    if file.try_lock().is_err() {
        eprintln!("waiting for another benchmark of the window to end");
        file.lock().with_context(|| format!("lock {}", path.display()))?;
    }
    Ok(file)
}

/// Removes what a benchmark that was killed has left, and waits until it is gone: it would be measured too.
pub(crate) async fn sweep() -> Result<()> {
    let namespaces: Api<KubeNamespace> = Api::all(admin().await?);
    for namespace in namespaces.list(&ListParams::default()).await?.items {
        let name = namespace.name_any();
        if name.starts_with(&format!("{PREFIX}-")) {
            eprintln!("removing {name}, which an earlier run has left");
            gone(&namespaces, &namespace).await?;
        }
    }
    Ok(())
}

/// Deletes the namespace and waits until it is gone.
pub(crate) async fn remove(namespace: Namespace) -> Result<()> {
    let namespaces: Api<KubeNamespace> = Api::all(namespace.client.clone());
    gone(&namespaces, &namespaces.get(&namespace.name).await?).await
}

async fn gone(namespaces: &Api<KubeNamespace>, namespace: &KubeNamespace) -> Result<()> {
    let name = namespace.name_any();
    namespaces.delete(&name, &DeleteParams::default()).await?;
    let uid = namespace.uid().context("a namespace has a uid")?;
    let deleted = await_condition(namespaces.clone(), &name, conditions::is_deleted(&uid));
    // Five thousand pods take a while.
    tokio::time::timeout(towline_cluster_tests::LIMIT * 2, deleted)
        .await
        .with_context(|| format!("namespace {name} does not go"))??;
    Ok(())
}
