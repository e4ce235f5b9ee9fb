//! Services that come and go, and the pods of headless ones.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Service;
use kube::api::DeleteParams;
use serde_json::json;
use towline_cluster_tests::app::{HTTP, container, service, workload};
use towline_cluster_tests::eventually;
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::hosts::{BEFORE, OwnHosts};
use towline_cluster_tests::namespace::Namespace;

/// A StatefulSet of two pods with a headless service whose port is not the pods', and the same by its name outside the cluster.
async fn apply(namespace: &Namespace) -> Result<()> {
    let mut headless = service("web", 80, "http");
    headless["spec"]["clusterIP"] = "None".into();
    let alias = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "alias"},
        "spec": {
            "type": "ExternalName", "externalName": format!("late.{}.svc.cluster.local", namespace.name),
            "ports": [{"port": 80}],
        },
    });
    namespace.http_app("app", 1).await?;
    namespace
        .apply([workload("StatefulSet", "web", Some(2), &[container(HTTP, 8080)]), headless, alias])
        .await?;
    namespace.ready("web", 2).await
}

#[tokio::test]
async fn names_follow_the_cluster() -> Result<()> {
    let namespace = Namespace::create("names").await?;
    apply(&namespace).await?;
    let machine = OwnHosts::new().await?;
    let local = free_port().await?;
    let mut session =
        machine.connect(&namespace, &["app", "--port", &format!("http:{local}")], &[])?;
    session.event("connected").await?;

    // The service's own port, as `towline` has always offered it, and the pods' own, as in the cluster.
    for (name, answer) in [("web-0.web", "cluster web-0"), ("web-1.web", "cluster web-1")] {
        let long = format!("{name}.{}.svc.cluster.local", namespace.name);
        for url in [
            format!("http://{name}:8080/"),
            format!("http://{name}/"),
            format!("http://{long}:8080/"),
        ] {
            let got = machine.get(&url).await?;
            ensure!(got == answer, "{url}: {got}");
        }
    }
    ensure!(machine.get("http://web:8080/").await?.starts_with("cluster web-"));
    ensure!(machine.look_up("late").await?.is_empty(), "not there yet");

    // One that comes, with what stands for it under another name; and its pods are those of `web`.
    let mut late = service("late", 80, "http");
    late["spec"]["selector"] = json!({"app": "web"});
    namespace.apply([late]).await?;
    let answer = eventually("the new service by its name", || async {
        Ok(Some(machine.get("http://late/").await?))
    })
    .await?;
    ensure!(answer.starts_with("cluster web-"), "{answer}");
    ensure!(machine.get("http://alias/").await?.starts_with("cluster web-"), "an ExternalName");

    // A third pod has a name too.
    namespace.kubectl(&["scale", "statefulset", "web", "--replicas=3"]).await?;
    let answer = eventually("the new pod by its name", || async {
        Ok(Some(machine.get("http://web-2.web:8080/").await?))
    })
    .await?;
    ensure!(answer == "cluster web-2", "{answer}");

    namespace.api::<Service>().delete("late", &DeleteParams::default()).await?;
    eventually("the deleted service's name is gone", || async {
        Ok(machine.look_up("late").await?.is_empty().then_some(()))
    })
    .await?;
    ensure!(machine.content()?.starts_with(BEFORE), "other lines stay as they are");
    session.stop().await?;
    ensure!(machine.content()? == BEFORE, "{}", machine.content()?);
    Ok(())
}

#[tokio::test]
async fn what_is_left_out_has_no_name() -> Result<()> {
    let namespace = Namespace::create("names").await?;
    namespace.http_app("app", 1).await?;
    namespace.apply([service("kept", 80, 8080), service("left", 80, 8080)]).await?;
    let machine = OwnHosts::new().await?;
    let local = free_port().await?;
    let arguments = ["app", "--exclude", "left", "--port", &format!("http:{local}")];
    let mut session = machine.connect(&namespace, &arguments, &[])?;
    session.event("connected").await?;
    ensure!(machine.look_up("kept").await?.len() == 1);
    ensure!(machine.look_up("left").await?.is_empty());
    // What comes later is left out, too, and what comes beside it is not.
    namespace.api::<Service>().delete("left", &DeleteParams::default()).await?;
    namespace.apply([service("left", 81, 8080), service("later", 80, 8080)]).await?;
    eventually("the other new service", || async {
        Ok((machine.look_up("later").await?.len() == 1).then_some(()))
    })
    .await?;
    ensure!(machine.look_up("left").await?.is_empty());
    session.stop().await.context("the end")?;
    Ok(())
}
