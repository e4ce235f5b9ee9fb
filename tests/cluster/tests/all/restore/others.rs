//! Somebody else changes things in the middle of a session: theirs stays.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::DeleteParams;
use serde_json::{Value, json};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::Connected;
use towline_cluster_tests::{app, eventually, image};

/// The session ended because of what somebody did, said so, and its program is gone.
async fn ended_as(session: &mut Connected, expected: &str) -> Result<Value> {
    let said = session.event(expected).await?;
    let (end, status) = session.outcome().await?;
    ensure!(end == expected && !status.success(), "{end}, {status}\n{}", session.told());
    Ok(said)
}

#[tokio::test]
async fn another_image_in_the_middle_stays() -> Result<()> {
    const THEIRS: &str = "sandbox.local/theirs:1";
    image::load(THEIRS, &[]).await?;
    let ns = Namespace::create("set-image").await?;
    let container = json!({
        "name": "main",
        "image": image::BUSYBOX,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/busybox", "nc", "-ll", "-p", "8080", "-e", "/bin/busybox", "true"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": 1},
    });
    ns.apply([app::deployment("web", 1, &[container])]).await?;
    ns.ready("web", 1).await?;
    let mut expected = ns.workload("Deployment", "web").await?;
    expected["spec"]["template"]["spec"]["containers"][0]["image"] = THEIRS.into();

    let mut session = ns.connect(&["deployment/web"], &["sleep", "600"])?;
    session.event("connected").await?;
    ns.kubectl(&["set", "image", "deployment/web", &format!("main={THEIRS}")]).await?;
    let said = ended_as(&mut session, "overwritten").await?;
    ensure!(said["by"].as_str().is_some_and(|by| by.starts_with("kubectl")), "who: {said}");
    ensure!(said["fields"].to_string().contains("image"), "what: {said}");
    ns.back("Deployment", "web", &expected, 1).await
}

#[tokio::test]
async fn an_apply_in_the_middle_ends_up_as_if_towline_had_not_been_there() -> Result<()> {
    let ns = Namespace::create("apply").await?;
    let version = |name: &str, greeting: &str, program: &str| {
        let mut container = app::container(app::HTTP, 8080);
        container["env"][0]["value"] = greeting.into();
        container["command"].as_array_mut().expect("a command").push(program.into());
        app::deployment(name, 1, &[container])
    };
    ns.kubectl_apply(["web", "twin"].map(|name| version(name, "hello", "first"))).await?;
    ns.kubectl_apply([app::service("web", 80, "http")]).await?;
    ns.ready("web", 1).await?;
    let mut session = ns.stand_in("deployment/web", "web", &[]).await?;
    ns.kubectl_apply(["web", "twin"].map(|name| version(name, "goodbye", "second"))).await?;
    ended_as(&mut session, "overwritten").await?;

    let mut web = ns.workload("Deployment", "web").await?;
    let mut twin = ns.workload("Deployment", "twin").await?;
    for workload in [&mut web, &mut twin] {
        let metadata = workload["metadata"].as_object_mut().context("metadata")?;
        metadata.retain(|key, _| {
            !["name", "uid", "creationTimestamp", "annotations"].contains(&key.as_str())
        });
    }
    let twin: Value = serde_json::from_str(&twin.to_string().replace("twin", "web"))?;
    ensure!(web == twin, "with Towline in between: {web}\nwithout: {twin}");
    ns.ready("web", 1).await?;
    ns.nothing_left().await
}

#[tokio::test]
async fn scaling_and_lost_pods_do_not_end_a_session() -> Result<()> {
    let ns = Namespace::create("scaling").await?;
    ns.http_app("web", 1).await?;
    let mut expected = ns.workload("Deployment", "web").await?;
    expected["spec"]["replicas"] = 3.into();
    let mut session = ns.stand_in("deployment/web", "web", &[]).await?;
    let process = ns.answered_by_local("web").await?;

    // As an autoscaler does it: by the scale subresource, here by way of kubectl.
    ns.kubectl(&["scale", "deployment/web", "--replicas=3"]).await?;
    for _ in 0..2 {
        session.event("tunnel_up").await?;
    }
    ns.ready("web", 3).await?;
    let pods = ns.pods("web").await?;
    let lost = pods.first().context("a pod")?.name_any();
    ns.api::<Pod>().delete(&lost, &DeleteParams::default()).await?;
    let down = session.event("tunnel_down").await?;
    ensure!(down["pod"] == lost, "another pod was lost: {down}");
    let known: Vec<String> = pods.iter().map(ResourceExt::name_any).collect();
    // Its successor may have come before the lost one was gone.
    loop {
        let ups = session.seen().iter().filter(|event| event["event"] == "tunnel_up");
        if ups
            .filter_map(|up| up["pod"].as_str())
            .any(|pod| !known.iter().any(|known| known == pod))
        {
            break;
        }
        session.event("tunnel_up").await?;
    }
    eventually("only tunnels of pods that exist", || async { ns.ready("web", 3).await.map(Some) })
        .await?;
    for _ in 0..6 {
        ensure!(ns.answered_by_local("web").await? == process, "the program was started anew");
    }
    ensure!(!session.seen().iter().any(|event| event["event"] == "ended"), "{}", session.told());
    session.stop().await?;
    ns.back("Deployment", "web", &expected, 3).await
}

#[tokio::test]
async fn a_deleted_workload_ends_the_session() -> Result<()> {
    let ns = Namespace::create("deleted").await?;
    ns.http_app("web", 1).await?;
    let mut session = ns.stand_in("deployment/web", "web", &[]).await?;
    ns.kubectl(&["delete", "deployment/web", "--wait=false"]).await?;
    let (end, status) = session.outcome().await?;
    ensure!(end == "deleted" && !status.success(), "{end}, {status}\n{}", session.told());
    ns.nothing_left().await
}
