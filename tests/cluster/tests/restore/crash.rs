//! Towline itself is killed: the cluster puts everything back, or the next command does.

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use towline_cluster_tests::eventually;
use towline_cluster_tests::namespace::Namespace;

async fn generation(ns: &Namespace, name: &str) -> Result<Option<i64>> {
    let api = ns.api::<k8s_openapi::api::apps::v1::Deployment>();
    Ok(api.get(name).await?.metadata.generation)
}

#[tokio::test]
async fn killed_while_connected_the_cluster_restores() -> Result<()> {
    let ns = Namespace::create("killed").await?;
    ns.http_app("web", 2).await?;
    let before = ns.workload("Deployment", "web").await?;
    let mut session = ns.stand_in("deployment/web", "web", &["--lease", "5s"]).await?;
    session.signal("KILL")?;
    session.end().await?;
    ns.comes_back("Deployment", "web", &before, 2).await?;
    ns.answered_by_cluster("web").await
}

#[tokio::test]
async fn killed_after_the_restorer_runs_the_cluster_restores() -> Result<()> {
    let ns = Namespace::create("killed-late").await?;
    try_join_all(["patch", "pods", "environment", "restore"].map(|step| {
        let ns = &ns;
        async move {
            ns.http_app(step, 1).await?;
            let before = ns.workload("Deployment", step).await?;
            let mut session = ns.connect(&[&format!("deployment/{step}"), "--lease", "5s"], &[])?;
            if step == "restore" {
                session.event("connected").await?;
                session.signal("INT")?;
            }
            session.step(step).await?;
            session.signal("KILL")?;
            session.end().await?;
            eventually(&format!("{step} as it was"), || async {
                Ok((ns.workload("Deployment", step).await? == before).then_some(()))
            })
            .await?;
            ns.ready(step, 1).await
        }
    }))
    .await?;
    ns.nothing_left().await
}

#[tokio::test]
async fn killed_before_the_restorer_runs_the_workload_is_untouched() -> Result<()> {
    let ns = Namespace::create("killed-early").await?;
    try_join_all(["lease", "restorer"].map(|step| {
        let ns = &ns;
        async move {
            ns.http_app(step, 1).await?;
            let target = format!("deployment/{step}");
            let (before, counted) =
                (ns.workload("Deployment", step).await?, generation(ns, step).await?);
            let mut session = ns.connect(&[&target, "--lease", "5s"], &[])?;
            session.step(step).await?;
            session.signal("KILL")?;
            session.end().await?;
            ensure!(
                ns.workload("Deployment", step).await? == before,
                "{step}: the workload was touched"
            );
            ensure!(
                generation(ns, step).await? == counted,
                "{step}: the workload was changed and changed back"
            );
            // A lease may be left, which nobody renews and which says so; either way to clear it works.
            let clear: &[&str] = match step {
                "lease" => &["connect", &target, "-n", &ns.name, "--take-over", "--", "true"],
                _ => &["restore", &target, "-n", &ns.name],
            };
            let finished = ns.run(clear).await?;
            ensure!(finished.status.success(), "{step}: {finished:?}");
            ensure!(
                ns.workload("Deployment", step).await? == before,
                "{step}: it is not what it was"
            );
            ns.ready(step, 1).await
        }
    }))
    .await?;
    ns.nothing_left().await
}
