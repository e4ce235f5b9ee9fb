//! Putting the agent in and taking it out on a real cluster, for every kind.
//!
//! `TOWLINE_TEST_KUBECONFIG=… cargo test -p towline-workload --test on_a_cluster -- --ignored`; the cluster must have the agent's image of
//! this version and `sandbox.local/busybox:1`, as the sandbox has.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use towline_workload::names::{agent_pods_selector, lease_name};
use towline_workload::{
    AgentContainer, Direction, Kind, Progress, PullPolicy, Restored, Rollout, SessionRecord,
    Sweeper, WorkloadRef, bare_pod, install, objects, pods_of, put_back, replace_pods, serve_args,
    workload_value,
};

const AGENT: &str = concat!("towline.dev/agent:", env!("CARGO_PKG_VERSION"));
const LIMIT: Duration = Duration::from_secs(90);

struct Scene {
    client: Client,
    workload: WorkloadRef,
    before: Value,
    record: SessionRecord,
    agent: AgentContainer,
}

impl Scene {
    async fn new(kind: Kind, spec: Value) -> Self {
        let file = std::env::var("TOWLINE_TEST_KUBECONFIG").unwrap();
        let kubeconfig = Kubeconfig::read_from(file).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
        let client = Client::try_from(config).unwrap();
        let id = format!("{:012x}", Timestamp::now().as_nanosecond() as u64 & 0xffff_ffff_ffff);
        let namespace = format!("workload-{kind}-{id}");
        let object = serde_json::from_value(json!({"metadata": {"name": namespace}})).unwrap();
        let namespaces: Api<Namespace> = Api::all(client.clone());
        namespaces.create(&PostParams::default(), &object).await.unwrap();
        let workload = WorkloadRef { kind, namespace, name: "web".into() };
        let resource = kind.api_resource();
        let manifest = json!({
            "apiVersion": resource.api_version, "kind": resource.kind,
            "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": spec,
        });
        let manifest: DynamicObject = serde_json::from_value(manifest).unwrap();
        let api = workload.api(client.clone());
        eventually("the namespace takes pods", async || {
            api.create(&PostParams::default(), &manifest).await.ok()
        })
        .await;
        let mut scene = Self {
            record: SessionRecord {
                id: id.clone(),
                user: "ada".into(),
                host: "lovelace".into(),
                started: Timestamp::now(),
                container: "web".into(),
                tool_version: "0".into(),
            },
            agent: AgentContainer {
                image: AGENT.into(),
                image_pull_policy: PullPolicy::IfNotPresent,
                pull_secret: None,
                args: serve_args(&id, &"ab".repeat(32), 17_777, &[8080]),
            },
            client,
            workload,
            before: Value::Null,
        };
        scene.in_service(|_| true).await;
        scene.before = scene.value().await;
        scene
    }

    fn id(&self) -> &str {
        &self.record.id
    }

    async fn value(&self) -> Value {
        workload_value(&self.client, &self.workload).await.unwrap().unwrap()
    }

    /// Waits until all pods that the workload wants are Ready and as they should be.
    async fn in_service(&self, as_they_should: impl Fn(&Value) -> bool) {
        eventually("all pods are ready", async || {
            let value = workload_value(&self.client, &self.workload).await.unwrap()?;
            let wanted = Rollout::of(self.workload.kind, &value).replicas as usize;
            let pods = pods_of(&self.client, &self.workload, &value).await.unwrap();
            let ready = |pod: &Value| {
                let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
                let ready = |c: &Value| c["type"] == "Ready" && c["status"] == "True";
                conditions.is_some_and(|conditions| conditions.iter().any(ready))
            };
            let good = pods.iter().filter(|pod| ready(pod) && as_they_should(pod)).count();
            (wanted > 0 && good == wanted && pods.len() == wanted).then_some(())
        })
        .await;
    }

    async fn install(&self) {
        let value = self.value().await;
        let api = self.workload.api(self.client.clone());
        let installation = install(&value, "web", &self.agent, &self.record).unwrap();
        let patch: Patch<()> = Patch::Json(installation.patch);
        api.patch("web", &PatchParams::default(), &patch).await.unwrap();
    }

    async fn install_and_follow(&self) {
        self.install().await;
        let deadline = Instant::now() + LIMIT;
        let direction = Direction::ToAgent;
        replace_pods(&self.client, &self.workload, self.id(), direction, deadline, &mut ignore)
            .await
            .unwrap();
        self.in_service(|pod| {
            pod["metadata"]["labels"]["towline.dev/session"] == self.record.id.as_str()
        })
        .await;
    }

    async fn lease(&self, seconds: u32) -> Lease {
        let lease = objects::lease(&self.workload, &self.record, seconds, Timestamp::now());
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), &self.workload.namespace);
        leases.create(&PostParams::default(), &lease).await.unwrap()
    }

    async fn restorer(&self, lease: &Lease) {
        for object in objects::restorer(&self.workload, &self.record, lease, &self.agent) {
            object.create(self.client.clone(), &self.workload.namespace).await.unwrap();
        }
    }

    /// Makes the lease one that lapses soon; until now nothing could go wrong by being slow.
    async fn let_lapse(&self) {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), &self.workload.namespace);
        let soon = Patch::Merge(json!({"spec": {"leaseDurationSeconds": 3}}));
        let name = lease_name(&self.workload);
        leases.patch(&name, &PatchParams::default(), &soon).await.unwrap();
    }

    async fn put_back(&self) {
        let deadline = Instant::now() + LIMIT;
        let sweeper = Sweeper::Client;
        let began = Instant::now();
        let done =
            put_back(&self.client, &self.workload, self.id(), sweeper, deadline, &mut show).await;
        println!("put back in {:?}", began.elapsed());
        let done = done.unwrap();
        let session = self.record.id.clone();
        assert_eq!(done.restored, Restored::Restored { session, kept_from_others: vec![] });
        assert!(done.not_in_service.is_none(), "{:?}", done.not_in_service);
        assert_eq!(done.swept.left, []);
    }

    async fn assert_as_before(&self) {
        assert_eq!(essence(&self.value().await), essence(&self.before));
        self.in_service(|pod| pod["metadata"]["labels"].get("towline.dev/session").is_none()).await;
    }

    /// What of Towline is in the namespace.
    async fn traces(&self) -> Vec<String> {
        let mut traces = Vec::new();
        for (group, kind, plural) in [
            ("", "Pod", "pods"),
            ("", "Secret", "secrets"),
            ("", "ServiceAccount", "serviceaccounts"),
            ("apps", "ReplicaSet", "replicasets"),
            ("apps", "ControllerRevision", "controllerrevisions"),
            ("batch", "Job", "jobs"),
            ("coordination.k8s.io", "Lease", "leases"),
            ("rbac.authorization.k8s.io", "Role", "roles"),
            ("rbac.authorization.k8s.io", "RoleBinding", "rolebindings"),
        ] {
            let version = if group.is_empty() { "v1".into() } else { format!("{group}/v1") };
            let resource = ApiResource {
                group: group.into(),
                version: "v1".into(),
                api_version: version,
                kind: kind.into(),
                plural: plural.into(),
            };
            let api: Api<DynamicObject> =
                Api::namespaced_with(self.client.clone(), &self.workload.namespace, &resource);
            for mut object in api.list(&ListParams::default()).await.unwrap() {
                object.metadata.managed_fields = None;
                let text = serde_json::to_string(&object).unwrap();
                if text.contains("towline") {
                    traces.push(format!("{plural}/{}", object.metadata.name.unwrap()));
                }
            }
        }
        traces
    }

    async fn assert_no_trace(&self) {
        // The token's Secret, which old clusters make for every account, goes a moment after the account.
        eventually("nothing of Towline is left", async || {
            let traces = self.traces().await;
            (traces.is_empty()).then_some(()).ok_or_else(|| println!("left: {traces:?}")).ok()
        })
        .await;
    }

    async fn end(self) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces.delete(&self.workload.namespace, &DeleteParams::background()).await.unwrap();
    }
}

/// The workload without what a change and its reverse may change.
fn essence(workload: &Value) -> Value {
    let mut workload = workload.clone();
    workload.as_object_mut().unwrap().remove("status");
    let metadata = workload["metadata"].as_object_mut().unwrap();
    for key in ["resourceVersion", "generation", "managedFields", "uid", "creationTimestamp"] {
        metadata.remove(key);
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        // The revision, as the controllers count it.
        annotations.remove("deployment.kubernetes.io/revision");
        annotations.remove("deprecated.daemonset.template.generation");
    }
    workload
}

async fn eventually<T>(what: &str, check: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = check().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "within {LIMIT:?}: {what}");
        sleep(Duration::from_millis(100)).await;
    }
}

fn ignore(_: Progress) {}

fn show(progress: Progress) {
    println!("{progress:?}");
}

fn pod_spec() -> Value {
    json!({
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsNonRoot": true},
        "containers": [{
            "name": "web",
            "image": "sandbox.local/busybox:1",
            "command": ["/bin/sh", "-c", "trap exit TERM; while :; do sleep 1; done"],
            "securityContext": {"runAsUser": 1000},
            "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1},
            "lifecycle": {"preStop": {"exec": {"command": ["true"]}}},
        }],
    })
}

fn spec(replicas: Option<u32>, more: Value) -> Value {
    let mut spec = json!({
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec()},
    });
    if let Some(replicas) = replicas {
        spec["replicas"] = json!(replicas);
    }
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    spec
}

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
