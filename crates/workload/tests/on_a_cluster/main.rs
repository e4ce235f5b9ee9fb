//! Putting the agent in and taking it out on a real cluster, for every kind.
//!
//! `TOWLINE_TEST_KUBECONFIG=… cargo test -p towline-workload --test on_a_cluster -- --ignored`; the cluster must have the agent's image of
//! this version and `sandbox.local/busybox:1`, as the sandbox has.
#![allow(clippy::unwrap_used)]

mod scene;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, PostParams};
use serde_json::{Value, json};
use towline_workload::names::{agent_pods_selector, lease_name};
use towline_workload::{Kind, PullPolicy, bare_pod, objects};

use scene::{Scene, eventually, pod_spec, spec};

async fn there_and_back(kind: Kind, spec: Value) {
    let scene = Scene::new(kind, spec).await;
    let lease = scene.lease(120).await;
    scene.restorer(&lease).await;
    scene.install_and_follow().await;
    scene.put_back().await;
    scene.assert_as_before().await;
    scene.assert_no_trace().await;
    scene.end().await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_deployment() {
    there_and_back(Kind::Deployment, spec(Some(2), json!({}))).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_statefulset() {
    there_and_back(Kind::StatefulSet, spec(Some(2), json!({"serviceName": "web"}))).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_statefulset_whose_pods_nobody_replaces() {
    let strategy = json!({"serviceName": "web", "updateStrategy": {"type": "OnDelete"}});
    there_and_back(Kind::StatefulSet, spec(Some(2), strategy)).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_daemonset() {
    there_and_back(Kind::DaemonSet, spec(None, json!({}))).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_daemonset_whose_pods_nobody_replaces() {
    let strategy = json!({"updateStrategy": {"type": "OnDelete"}});
    there_and_back(Kind::DaemonSet, spec(None, strategy)).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_replicaset() {
    there_and_back(Kind::ReplicaSet, spec(Some(2), json!({}))).await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn broken_agents_are_taken_out_again() {
    for (kind, more) in
        [(Kind::Deployment, json!({})), (Kind::StatefulSet, json!({"serviceName": "web"}))]
    {
        let mut scene = Scene::new(kind, spec(Some(2), more)).await;
        scene.agent.image = "sandbox.local/not-there:1".into();
        scene.agent.image_pull_policy = PullPolicy::Never;
        scene.lease(120).await;
        scene.install().await;
        let pods: Api<DynamicObject> = Api::namespaced_with(
            scene.client.clone(),
            &scene.workload.namespace,
            &Kind::Pod.api_resource(),
        );
        let agents = ListParams::default().labels(&agent_pods_selector(scene.id()));
        eventually("an agent's pod is broken", async || {
            let pods = pods.list(&agents).await.unwrap();
            let broken = |pod: &DynamicObject| {
                let waiting = "/status/containerStatuses/0/state/waiting/reason";
                pod.data.pointer(waiting).is_some_and(|reason| reason == "ErrImageNeverPull")
            };
            pods.iter().any(broken).then_some(())
        })
        .await;
        scene.put_back().await;
        scene.assert_as_before().await;
        scene.assert_no_trace().await;
        scene.end().await;
    }
}

async fn redirect_bare_pod() -> Scene {
    let scene = Scene::new(Kind::Pod, pod_spec()).await;
    let lease = scene.lease(120).await;
    let bare = bare_pod(&scene.before, "web", &scene.agent, &scene.record).unwrap();
    let namespace = &scene.workload.namespace;
    let secret = objects::pod_secret(&scene.workload, &scene.record, &lease, &bare.kept);
    secret.create(scene.client.clone(), namespace).await.unwrap();
    scene.restorer(&lease).await;
    let api = scene.workload.api(scene.client.clone());
    api.delete("web", &DeleteParams::default()).await.unwrap();
    let agent: DynamicObject = serde_json::from_value(bare.agent).unwrap();
    eventually("the pod is created with the agent", async || {
        api.create(&PostParams::default(), &agent).await.ok()
    })
    .await;
    scene
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_bare_pod() {
    let scene = redirect_bare_pod().await;
    scene.in_service(|_| true).await;
    scene.put_back().await;
    scene.assert_as_before().await;
    scene.assert_no_trace().await;
    scene.end().await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_bare_pod_is_put_back_by_the_restorer_even_when_somebody_has_deleted_it() {
    let scene = redirect_bare_pod().await;
    scene.in_service(|_| true).await;
    let api = scene.workload.api(scene.client.clone());
    api.delete("web", &DeleteParams::default()).await.unwrap();
    scene.let_lapse().await;
    scene.assert_no_trace().await;
    scene.assert_as_before().await;
    scene.end().await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_bare_pod_whose_client_died_between_deleting_and_creating_is_put_back() {
    let mut spec = pod_spec();
    // Slow to go, so that the restorer comes while the original is on its way out.
    spec["terminationGracePeriodSeconds"] = json!(10);
    spec["containers"][0]["command"] =
        json!(["/bin/sh", "-c", "trap 'sleep 8; exit' TERM; while :; do sleep 1; done"]);
    let scene = Scene::new(Kind::Pod, spec).await;
    let lease = scene.lease(120).await;
    let bare = bare_pod(&scene.before, "web", &scene.agent, &scene.record).unwrap();
    let secret = objects::pod_secret(&scene.workload, &scene.record, &lease, &bare.kept);
    secret.create(scene.client.clone(), &scene.workload.namespace).await.unwrap();
    let api = scene.workload.api(scene.client.clone());
    api.delete("web", &DeleteParams::default()).await.unwrap();
    scene.put_back().await;
    scene.assert_as_before().await;
    scene.assert_no_trace().await;
    scene.end().await;
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_lapsed_lease_is_the_restorers_sign() {
    for (kind, more) in [
        (Kind::Deployment, json!({})),
        (Kind::StatefulSet, json!({"serviceName": "web", "updateStrategy": {"type": "OnDelete"}})),
        (Kind::ReplicaSet, json!({})),
    ] {
        let scene = Scene::new(kind, spec(Some(2), more)).await;
        let lease = scene.lease(120).await;
        scene.restorer(&lease).await;
        scene.install_and_follow().await;
        scene.let_lapse().await;
        scene.assert_no_trace().await;
        scene.assert_as_before().await;
        scene.end().await;
    }
}

#[tokio::test]
#[ignore = "needs a cluster"]
async fn a_lease_that_is_gone_leaves_nothing_to_restore() {
    let scene = Scene::new(Kind::Deployment, spec(Some(1), json!({}))).await;
    let lease = scene.lease(120).await;
    scene.restorer(&lease).await;
    scene.install_and_follow().await;
    // The client dies between the restore and the sweep, say; and somebody removes the lease by hand.
    towline_workload::restore(
        &scene.client,
        &scene.workload,
        &towline_workload::Expect::Session(scene.record.id.clone()),
    )
    .await
    .unwrap();
    let leases: Api<Lease> = Api::namespaced(scene.client.clone(), &scene.workload.namespace);
    let name = lease_name(&scene.workload);
    leases.delete(&name, &DeleteParams::background()).await.unwrap();
    scene.assert_as_before().await;
    scene.end().await;
}
