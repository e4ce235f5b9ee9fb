//! What the cluster remembers of a session: nothing. And workloads whose settings leave little room.

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::{app, eventually, node};

fn web(name: &str, word: &str) -> Value {
    let mut container = app::container(app::HTTP, 8080);
    if let Some(command) = container["command"].as_array_mut() {
        command.push(word.into());
    }
    app::deployment(name, 1, &[container])
}

#[tokio::test]
async fn the_history_holds_only_the_users_revisions() -> Result<()> {
    let ns = Namespace::create("history").await?;
    ns.kubectl_apply([web("web", "first"), app::service("web", 80, "http")]).await?;
    ns.ready("web", 1).await?;
    ns.kubectl_apply([web("web", "second")]).await?;
    ns.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"]).await?;
    ns.ready("web", 1).await?;
    let before = ns.workload("Deployment", "web").await?;

    let mut session = ns.stand_in("deployment/web", "web", &[]).await?;
    session.stop().await?;
    ns.back("Deployment", "web", &before, 1).await?;

    let history = ns.kubectl(&["rollout", "history", "deployment/web"]).await?;
    let revisions =
        history.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).count();
    ensure!(revisions == 2, "the user made two revisions:\n{history}");
    ns.kubectl(&["rollout", "undo", "deployment/web"]).await?;
    let url = format!("http://{}/", ns.cluster_ip("web").await?);
    eventually("the user's first revision after an undo", || async {
        Ok(node::get(&url).await?.starts_with("first ").then_some(()))
    })
    .await
}

#[tokio::test]
async fn other_strategies_are_restored_as_well() -> Result<()> {
    let ns = Namespace::create("strategies").await?;
    let settings = [
        ("recreate", json!({"strategy": {"type": "Recreate"}})),
        ("forgetful", json!({"revisionHistoryLimit": 0})),
        ("exact", json!({"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}})),
    ];
    try_join_all(settings.map(|(name, settings)| {
        let ns = &ns;
        async move {
            let mut deployment = app::deployment(name, 2, &[app::container(app::HTTP, 8080)]);
            for (key, value) in settings.as_object().into_iter().flatten() {
                deployment["spec"][key] = value.clone();
            }
            ns.apply([deployment, app::service(name, 80, "http")]).await?;
            ns.ready(name, 2).await?;
            let before = ns.workload("Deployment", name).await?;
            let mut session = ns.stand_in(&format!("deployment/{name}"), name, &[]).await?;
            session.stop().await?;
            ensure!(ns.workload("Deployment", name).await? == before, "{name} is not what it was");
            ns.ready(name, 2).await
        }
    }))
    .await?;
    ns.nothing_left().await
}
