//! What a session that was killed leaves, found and repaired.

use anyhow::{Context, Result, ensure};
use towline_app::view::{TableKind, Tone};
use towline_cluster_tests::namespace::Namespace;

use crate::stage::{Stage, web};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the sandbox"]
async fn a_killed_session_is_offered_for_repair_and_repaired() -> Result<()> {
    let ns = Namespace::create("leftover").await?;
    ns.apply(web("web", 1)).await?;
    let before = ns.workload("Deployment", "web").await?;
    let mut session = ns.connect(&["deployment/web", "--lease", "600"], &[])?;
    session.event("connected").await?;
    // Nothing is put back.
    session.signal("KILL")?;
    session.end().await?;

    let kubeconfig = ns.kubeconfig()?;
    let state = ns.home.path().join("towline");
    let stage = Stage::with(kubeconfig.as_ref(), Some(&state))?;
    let leftover = stage
        .until("the leftover shows", |app| app.leftovers.first().cloned())
        .await
        .context("without contacting the cluster")?;
    ensure!(stage.controller.app().clusters.is_empty());
    ensure!(
        (leftover.workload.as_str(), &leftover.namespace) == ("deployment/web", &ns.name),
        "{leftover:?}"
    );

    stage.connect(&[&ns.name])?;
    let marked = stage.row(TableKind::Workloads, "web", |row| row.session.is_some()).await?;
    let mark = marked.session.context("a mark")?;
    ensure!(mark.id == leftover.id && !mark.mine, "{mark:?}");

    let repaired = stage
        .controller
        .repair(&leftover.id)
        .await
        .map_err(|report| anyhow::anyhow!("{report:?}"))?;
    ensure!(repaired.tone == Tone::Good, "{repaired:?}");
    ensure!(stage.controller.app().leftovers.is_empty());
    ns.back("Deployment", "web", &before, 1).await?;
    ensure!(std::fs::read_dir(state.join("sessions"))?.count() == 0, "the journal's entry is gone");
    stage.row(TableKind::Workloads, "web", |row| row.session.is_none()).await?;
    ensure!(
        stage.controller.repair(&leftover.id).await.is_err(),
        "there is nothing to repair twice"
    );
    Ok(())
}
