//! Workloads that were broken before the session: they go back to being broken, at once, and without the agent.

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use serde_json::json;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::{app, eventually};

#[tokio::test]
async fn a_workload_that_crashes_gets_rid_of_the_agent() -> Result<()> {
    let ns = Namespace::create("broken").await?;
    let kinds = [("Deployment", Some(2)), ("StatefulSet", Some(2)), ("DaemonSet", None)];
    try_join_all(kinds.map(|(kind, replicas)| {
        let ns = &ns;
        async move {
            let name = &kind.to_lowercase();
            let mut container = app::container(app::HTTP, 8080);
            container["command"] = json!(["python3", "-c", "raise SystemExit('broken')"]);
            let workload = app::workload(kind, name, replicas, &[container]);
            ns.apply([workload, app::service(name, 80, "http")]).await?;
            eventually(&format!("a pod of the {kind} has crashed"), || async {
                let pods = ns.pods(name).await?;
                let statuses =
                    pods.iter().filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref());
                Ok(statuses.flatten().any(|container| container.restart_count > 0).then_some(()))
            })
            .await?;
            let before = ns.workload(kind, name).await?;
            let mut session = ns.stand_in(&format!("{name}/{name}"), name, &[]).await?;
            session.stop().await.with_context(|| session.told())?;
            ensure!(ns.workload(kind, name).await? == before, "{kind} is not what it was");
            // Because of what its pods say, and not because a limit was over.
            let warned = session.seen().iter().any(|event| {
                let message = event["message"].as_str().unwrap_or_default();
                event["event"] == "warning" && message.contains("its own pods do not become ready")
            });
            ensure!(warned, "{kind}: that its pods crash is not told: {}", session.told());
            Ok(())
        }
    }))
    .await?;
    ns.nothing_left().await
}
