//! Towline itself is killed: the cluster puts everything back, or the next command does.

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::wait::await_condition;
use tokio::time::timeout;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::{LIMIT, eventually};

async fn generation(ns: &Namespace, name: &str) -> Result<Option<i64>> {
    let api = ns.api::<k8s_openapi::api::apps::v1::Deployment>();
    Ok(api.get(name).await?.metadata.generation)
}

/// Waits until the lease of the workload `lease` is there: the session is between this step and the next.
async fn taken(ns: &Namespace) -> Result<()> {
    let leases = ns.api::<Lease>();
    let exists = |lease: Option<&Lease>| lease.is_some();
    timeout(LIMIT, await_condition(leases, "towline-deploy-lease", exists))
        .await
        .context("the lease was not taken")??;
    Ok(())
}

/// Waits until the lease of the workload `lease`, whose session was killed, is shown as lapsed, or is gone: the restorer may have been made just
/// before the kill, and clears the lease away when it lapses.
async fn lapsed(ns: &Namespace) -> Result<()> {
    eventually("the lease shown as lapsed", || async {
        let finished = ns.run(&["status", "-n", &ns.name, "-o", "json"]).await?;
        let shown: serde_json::Value = serde_json::from_str(&finished.stdout)?;
        let rows = shown.as_array().into_iter().flatten();
        let mut of_it = rows.filter(|row| row["workload"]["name"] == "lease");
        Ok(of_it.all(|row| row["lapsed"] == true).then_some(()))
    })
    .await
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
    ns.answered_by_cluster("web").await?;
    ensure!(!ns.kept_here()?.is_empty(), "the test looks for the env file in the wrong place");
    // The next command that looks at the cluster clears up here as well.
    let finished = ns.run(&["status", "-n", &ns.name]).await?;
    ensure!(finished.status.success(), "{finished:?}");
    let left = ns.kept_here()?;
    ensure!(left.is_empty(), "left on this machine: {left:?}");
    Ok(())
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
            if step == "lease" {
                taken(ns).await?;
            }
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
            // A lease may be left, which nobody renews and which says so: it is in nobody's way once it has lapsed, and can be cleared away.
            let clear: &[&str] = match step {
                "lease" => {
                    lapsed(ns).await?;
                    &["connect", &target, "-n", &ns.name, "--", "true"]
                }
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
