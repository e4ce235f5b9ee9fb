//! What stands in the way is told in the window, and nothing has been changed.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use serde_json::json;
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::namespace::Namespace;
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::Desktop;
use towline_desktop_tests::kubeconfig::{for_user, for_window};
use towline_desktop_tests::steps::{Program, review, session};
use towline_desktop_tests::window::mark;

/// The token of a new account in the test's namespace, with the rights of this cluster role there, if any.
async fn account(namespace: &Namespace, role: Option<&str>) -> Result<String> {
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "developer"}});
    let mut objects = vec![account];
    objects.extend(role.map(|role| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "developer"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": "developer", "namespace": namespace.name}],
        })
    }));
    namespace.kubectl_apply(objects).await?;
    let request = serde_json::from_value(json!({"spec": {"expirationSeconds": 3600}}))?;
    let granted = namespace
        .api::<ServiceAccount>()
        .create_token_request("developer", &PostParams::default(), &request)
        .await?;
    granted.status.and_then(|status| status.token).context("a token")
}

#[tokio::test]
async fn rights_that_are_missing_are_named() -> Result<()> {
    let namespace = Namespace::create("window-rights").await?;
    namespace.http_app("web", 1).await?;
    let before = namespace.fingerprint().await?;
    let token = account(&namespace, Some("view")).await?;
    let kubeconfig = for_user(&namespace, "viewer", &token).await?;
    let desktop = Desktop::start().await?;
    let application = Application::start(&desktop, &kubeconfig).await?;
    let window = &application.window;
    window.pick_cluster("viewer").await?;
    window.redirect("web").await?;
    window.fill_in(&Program::sleeping().await?).await?;
    let told = window
        .text(&review("blocked"), |text| text.contains("patch") && text.contains("deployments"))
        .await?;
    ensure!(told.contains(&namespace.name), "where the right is missing: {told}");
    window.picture("rights").await?;
    // Nothing is a dead end: back to the list.
    window.click(&mark("launch-back")).await?;
    window.find(&mark("table")).await?;
    let mut after = namespace.fingerprint().await?;
    after.retain(|name, _| before.contains_key(name));
    ensure!(after == before, "something was changed");
    application.terminate().await
}

#[tokio::test]
async fn a_forbidden_list_names_verb_and_resource() -> Result<()> {
    let namespace = Namespace::create("window-forbidden").await?;
    let token = account(&namespace, None).await?;
    let kubeconfig = for_user(&namespace, "nobody", &token).await?;
    let desktop = Desktop::start().await?;
    let application = Application::start(&desktop, &kubeconfig).await?;
    let window = &application.window;
    window.pick_cluster("nobody").await?;
    let told = window.text(&mark("table-forbidden"), |text| text.contains("list")).await?;
    ensure!(told.contains("services") && told.contains(&namespace.name), "{told}");
    window.find(&mark("namespace-input")).await?;
    application.terminate().await
}

#[tokio::test]
async fn an_unreachable_cluster_can_be_tried_again() -> Result<()> {
    let namespace = Namespace::create("window-away").await?;
    let port = free_port().await?;
    let server = format!("https://127.0.0.1:{port}");
    let kubeconfig = namespace
        .kubeconfig_with("away", |config| {
            config["contexts"][0]["name"] = "away".into();
            config["clusters"][0]["cluster"]["server"] = server.as_str().into();
        })
        .await?;
    let desktop = Desktop::start().await?;
    let application = Application::start(&desktop, &kubeconfig).await?;
    let window = &application.window;
    window.click(&mark("context-connect").with("data-context", "away")).await?;
    let failed = mark("cluster").with("data-state", "failed");
    let told = window.text(&failed, |text| text.contains(&format!("127.0.0.1:{port}"))).await?;
    ensure!(told.contains("refuses"), "why: {told}");
    window.picture("unreachable").await?;
    window.click(&mark("cluster-retry")).await?;
    window.find(&failed).await?;

    // The edited file shows without a restart.
    let good = for_window(&namespace, "here").await?;
    tokio::fs::copy(&good, &kubeconfig).await?;
    window.click(&mark("nav-clusters")).await?;
    window.pick_cluster("here").await?;
    application.terminate().await
}

#[tokio::test]
async fn an_agent_image_that_cannot_be_pulled_leaves_the_workload_alone() -> Result<()> {
    let namespace = Namespace::create("window-image").await?;
    namespace.http_app("web", 1).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let desktop = Desktop::start().await?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;
    window.fill_in(&Program::sleeping().await?).await?;
    window.click(&mark("launch-options").child("summary")).await?;
    window.fill(&mark("launch-agent-image"), "localhost:1/no/such-agent:0").await?;
    window.find(&review("ready")).await?;
    window.click(&mark("launch-connect")).await?;
    window.find(&session("ended")).await?;
    let told = window.text(&mark("session-ending"), |text| text.contains("such-agent")).await?;
    ensure!(told.contains("pull") || told.contains("image"), "why: {told}");
    window.picture("image").await?;
    namespace.back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await?;
    // The way on: the form with all that was in it.
    window.click(&mark("session-again")).await?;
    window.find(&mark("launcher")).await?;
    application.terminate().await
}
