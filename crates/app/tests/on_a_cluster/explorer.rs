//! Rows that follow the cluster; rights that are missing.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use serde_json::json;
use towline_app::view::{App, ClusterPhase, TableKind, TableState, Tone};
use towline_cluster_tests::front::Front;
use towline_cluster_tests::namespace::Namespace;

use crate::stage::{Stage, looker, web};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the sandbox"]
async fn rows_appear_change_and_go_as_the_cluster_does() -> Result<()> {
    let ns = Namespace::create("rows").await?;
    ns.apply(web("web", 1)).await?;
    let stage = Stage::new()?;
    ensure!(stage.controller.app().clusters.is_empty(), "nothing is contacted unasked");
    stage.connect(&[&ns.name])?;
    let cluster = stage.live().await?;
    ensure!(cluster.namespaces.contains(&ns.name) && cluster.version.is_some(), "{cluster:?}");
    ensure!(cluster.watched == [ns.name.clone()], "{cluster:?}");

    let row = stage.row(TableKind::Services, "web", |row| row.ready == Some(1)).await?;
    ensure!(row.ports == ["web 80→http/TCP"] && row.tone == Tone::Good, "{row:?}");
    let row = stage.row(TableKind::Workloads, "web", |row| row.ready == Some(1)).await?;
    ensure!(row.kind == "Deployment" && row.target.as_deref() == Some("deployment/web"), "{row:?}");
    let pods = stage.rows(TableKind::Pods, "deployment/web running")?;
    ensure!(pods.len() == 1 && pods[0].containers == ["main"], "{pods:?}");

    let api: Api<Deployment> = ns.api();
    let three = Patch::Merge(json!({"spec": {"replicas": 3}}));
    api.patch("web", &PatchParams::default(), &three).await?;
    stage
        .row(TableKind::Services, "web", |row| row.ready == Some(3) && row.wanted == Some(3))
        .await?;
    ns.apply(web("late", 0)).await?;
    stage.row(TableKind::Workloads, "late", |row| row.wanted == Some(0)).await?;
    api.delete("web", &DeleteParams::background()).await?;
    stage.row(TableKind::Services, "web", |row| row.wanted == Some(0)).await?;
    stage
        .until("the Deployment goes", |_| {
            stage.rows(TableKind::Workloads, "web").ok().filter(Vec::is_empty)
        })
        .await?;

    stage
        .controller
        .disconnect_cluster(&stage.context)
        .map_err(|report| anyhow::anyhow!("{report:?}"))?;
    ensure!(stage.controller.app().clusters.is_empty());
    ensure!(stage.rows(TableKind::Pods, "").is_err(), "no rows of a cluster that was let go");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the sandbox"]
async fn other_namespaces_are_watched_at_once_and_all_of_them() -> Result<()> {
    let (one, two) = (Namespace::create("one").await?, Namespace::create("two").await?);
    one.apply(web("only-one", 0)).await?;
    two.apply(web("only-two", 0)).await?;
    let stage = Stage::new()?;
    stage.connect(&[&one.name])?;
    stage.row(TableKind::Services, "only-one", |_| true).await?;
    ensure!(stage.rows(TableKind::Services, "only-two")?.is_empty());
    let watch = |names: Vec<String>| {
        let watched = stage.controller.watch_namespaces(&stage.context, names);
        watched.map_err(|report| anyhow::anyhow!("{report:?}"))
    };
    watch(vec![two.name.clone(), one.name.clone()])?;
    stage.row(TableKind::Services, "only-two", |_| true).await?;
    stage.row(TableKind::Services, "only-one", |_| true).await?;
    watch(vec![two.name.clone()])?;
    stage
        .until("the other goes", |_| {
            stage.rows(TableKind::Services, "only-one").ok().filter(Vec::is_empty)
        })
        .await?;
    watch(Vec::new())?;
    stage.row(TableKind::Services, "kubernetes", |row| row.namespace == "default").await?;
    stage.row(TableKind::Services, "only-one", |_| true).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the sandbox"]
async fn a_missing_right_is_named_and_the_rest_is_shown() -> Result<()> {
    let (own, other) = (Namespace::create("own").await?, Namespace::create("other").await?);
    own.apply(web("web", 1)).await?;
    let token = json!({"token": looker(&own).await?});
    let kubeconfig =
        own.kubeconfig_with("developer", |config| config["users"][0]["user"] = token).await?;

    let stage = Stage::with(&kubeconfig, None)?;
    stage.connect(&[&own.name, &other.name])?;
    let forbidden = stage
        .cluster("refusals show", |cluster| {
            let refused = |state: &TableState| matches!(state, TableState::Forbidden { .. });
            cluster.namespaces_refused.is_some()
                && cluster.tables.iter().all(|table| refused(&table.state))
        })
        .await?;
    ensure!(forbidden.phase == ClusterPhase::Connected, "{forbidden:?}");
    let report = forbidden.namespaces_refused.context("no refusal")?;
    ensure!(report.code == "forbidden" && report.message.contains("namespaces"), "{report:?}");
    for table in forbidden.tables {
        let TableState::Forbidden { report } = table.state else { continue };
        let names = ["list", &other.name];
        ensure!(names.iter().all(|name| report.message.contains(name)), "{report:?}");
        ensure!(report.code == "forbidden", "{report:?}");
    }
    stage.row(TableKind::Workloads, "web", |row| row.ready == Some(1)).await?;
    stage
        .controller
        .watch_namespaces(&stage.context, vec![own.name.clone()])
        .map_err(|report| anyhow::anyhow!("{report:?}"))?;
    stage.live().await?;

    let checks =
        stage.controller.diagnose().await.map_err(|report| anyhow::anyhow!("{report:?}"))?;
    let rights = checks
        .iter()
        .find(|check| check.id.starts_with("rights:"))
        .context("no check of rights")?;
    ensure!(rights.tone == Tone::Bad && rights.message.contains("pods/portforward"), "{rights:?}");
    ensure!(
        checks.iter().all(|check| check.tone < Tone::Warning || check.fix.is_some()),
        "{checks:?}"
    );
    let report = stage
        .controller
        .diagnostic_report()
        .await
        .map_err(|report| anyhow::anyhow!("{report:?}"))?;
    let server = stage.controller.app().contexts.contexts[0].server.clone().context("a server")?;
    let host = server.trim_start_matches("https://").split(':').next().unwrap_or_default();
    ensure!(!report.contains(host) && report.contains("API latency"), "{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the sandbox"]
async fn a_list_that_is_never_answered_keeps_no_other_back() -> Result<()> {
    let ns = Namespace::create("silent-list").await?;
    ns.apply(web("web", 1)).await?;
    // Services are asked for first.
    let front = Front::start(ns.client.clone(), |path| path.ends_with("/services")).await?;
    let stage = Stage::with(&front.kubeconfig(&ns).await?, None)?;
    stage.connect(&[&ns.name])?;
    stage.row(TableKind::Workloads, "web", |_| true).await?;
    let pods = |_: &App| stage.rows(TableKind::Pods, "web").ok().filter(|rows| rows.len() == 1);
    stage.until("the pod's row", pods).await?;
    let cluster = stage.cluster("it is connected", |_| true).await?;
    let services = cluster.tables.iter().find(|table| table.table == TableKind::Services);
    ensure!(services.is_some_and(|table| table.state == TableState::Loading), "{cluster:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the sandbox"]
async fn a_token_that_is_not_taken_fails_once_and_a_new_try_is_the_users() -> Result<()> {
    let ns = Namespace::create("token").await?;
    let wrong = json!({"token": "not-a-token"});
    let kubeconfig =
        ns.kubeconfig_with("wrong", |config| config["users"][0]["user"] = wrong).await?;
    let stage = Stage::with(&kubeconfig, None)?;
    stage.connect(&[])?;
    let failed = |cluster: &towline_app::view::Cluster| matches!(&cluster.phase, ClusterPhase::Failed { report } if report.code == "unauthorized");
    stage.cluster("the refusal shows", failed).await?;
    // The user has corrected the file, and presses Connect again.
    let right = std::fs::read_to_string(ns.kubeconfig()?)?;
    std::fs::write(&kubeconfig, right)?;
    let context = stage.context.clone();
    stage
        .until("the file is read again", |app| {
            app.contexts.contexts.iter().any(|known| known.name == context).then_some(())
        })
        .await?;
    stage.connect(&[&ns.name])?;
    stage.live().await?;
    ensure!(!stage.preferences().kubeconfig_files.is_empty());
    Ok(())
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the sandbox"]
async fn an_exec_plugin_is_named_heard_and_found_on_the_given_path() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let ns = Namespace::create("plugin").await?;
    ns.apply(web("web", 0)).await?;
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential",
        "status": {"token": looker(&ns).await?},
    });
    let (programs, go) = (ns.home.path().join("programs"), ns.home.path().join("go"));
    std::fs::create_dir(&programs)?;
    let script = format!(
        "#!/bin/sh\necho 'Enter the code WDJB-MJHT' >&2\nwhile ! [ -e {} ]; do sleep 0.1; done\necho '{credential}'\n",
        go.display()
    );
    let plugin = programs.join("towline-test-plugin");
    std::fs::write(&plugin, script)?;
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o755))?;
    let exec = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "towline-test-plugin"}});
    let kubeconfig =
        ns.kubeconfig_with("plugin", |config| config["users"][0]["user"] = exec).await?;

    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&path)))?;
    let stage = Stage::on_path(&kubeconfig, None, Some(path))?;
    stage.connect(&[&ns.name])?;
    stage
        .cluster("the plugin is heard", |cluster| {
            let ClusterPhase::Connecting { plugin, said, .. } = &cluster.phase else {
                return false;
            };
            plugin.as_deref() == Some("towline-test-plugin") && said.contains("WDJB-MJHT")
        })
        .await?;
    std::fs::write(go, "")?;
    stage.live().await?;
    stage.row(TableKind::Workloads, "web", |_| true).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the sandbox"]
async fn letting_a_cluster_go_and_picking_it_again_leaves_nothing_running() -> Result<()> {
    let ns = Namespace::create("again").await?;
    let stage = Stage::new()?;
    let metrics = tokio::runtime::Handle::current().metrics();
    stage.connect(&[&ns.name])?;
    stage.live().await?;
    let connected = metrics.num_alive_tasks();
    for _ in 0..5 {
        stage
            .controller
            .disconnect_cluster(&stage.context)
            .map_err(|report| anyhow::anyhow!("{report:?}"))?;
        stage.connect(&[&ns.name])?;
        stage.live().await?;
    }
    // What is ended needs a moment to be gone, and idle connections of the one that stays are as many as it happened to need; six clusters' tasks
    // would be six times as many.
    towline_cluster_tests::eventually("only one cluster's tasks run", || async {
        let alive = metrics.num_alive_tasks();
        ensure!(alive < 2 * connected, "{alive} tasks; {connected} after the first time");
        Ok(Some(()))
    })
    .await
}
