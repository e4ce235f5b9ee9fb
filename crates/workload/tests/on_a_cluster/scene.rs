//! A workload on the cluster, and what is to be true of it.

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
use towline_workload::names::lease_name;
use towline_workload::{
    AgentContainer, Direction, Kind, Progress, PullPolicy, Restored, Rollout, SessionRecord,
    Sweeper, WorkloadRef, install, objects, pods_of, put_back, replace_pods, serve_args,
    workload_value,
};

const AGENT: &str = concat!("towline.dev/agent:", env!("CARGO_PKG_VERSION"));
const LIMIT: Duration = Duration::from_secs(90);

/// A workload in a namespace of its own, before, in and after a session.
pub(crate) struct Scene {
    pub(crate) client: Client,
    pub(crate) workload: WorkloadRef,
    pub(crate) before: Value,
    pub(crate) record: SessionRecord,
    pub(crate) agent: AgentContainer,
}

impl Scene {
    pub(crate) async fn new(kind: Kind, spec: Value) -> Self {
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
                args: serve_args(&id, &"ab".repeat(32), 17_777, &[8080], &[]),
            },
            client,
            workload,
            before: Value::Null,
        };
        scene.in_service(|_| true).await;
        scene.before = scene.value().await;
        scene
    }

    pub(crate) fn id(&self) -> &str {
        &self.record.id
    }

    async fn value(&self) -> Value {
        workload_value(&self.client, &self.workload).await.unwrap().unwrap()
    }

    /// Waits until all pods that the workload wants are Ready and as they should be.
    pub(crate) async fn in_service(&self, as_they_should: impl Fn(&Value) -> bool) {
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

    pub(crate) async fn install(&self) {
        let value = self.value().await;
        let api = self.workload.api(self.client.clone());
        let installation = install(&value, "web", &self.agent, &self.record).unwrap();
        let patch: Patch<()> = Patch::Json(installation.patch);
        api.patch("web", &PatchParams::default(), &patch).await.unwrap();
    }

    pub(crate) async fn install_and_follow(&self) {
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

    pub(crate) async fn lease(&self, seconds: u32) -> Lease {
        let lease = objects::lease(&self.workload, &self.record, seconds, Timestamp::now());
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), &self.workload.namespace);
        leases.create(&PostParams::default(), &lease).await.unwrap()
    }

    pub(crate) async fn restorer(&self, lease: &Lease) {
        for object in objects::restorer(&self.workload, &self.record, lease, &self.agent) {
            object.create(self.client.clone(), &self.workload.namespace).await.unwrap();
        }
    }

    /// Makes the lease one that lapses soon; until now nothing could go wrong by being slow.
    pub(crate) async fn let_lapse(&self) {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), &self.workload.namespace);
        let soon = Patch::Merge(json!({"spec": {"leaseDurationSeconds": 3}}));
        let name = lease_name(&self.workload);
        leases.patch(&name, &PatchParams::default(), &soon).await.unwrap();
    }

    pub(crate) async fn put_back(&self) {
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

    pub(crate) async fn assert_as_before(&self) {
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

    pub(crate) async fn assert_no_trace(&self) {
        // The token's Secret, which old clusters make for every account, goes a moment after the account.
        eventually("nothing of Towline is left", async || {
            let traces = self.traces().await;
            (traces.is_empty()).then_some(()).ok_or_else(|| println!("left: {traces:?}")).ok()
        })
        .await;
    }

    pub(crate) async fn end(self) {
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

pub(crate) async fn eventually<T>(what: &str, check: impl AsyncFn() -> Option<T>) -> T {
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

pub(crate) fn pod_spec() -> Value {
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

pub(crate) fn spec(replicas: Option<u32>, more: Value) -> Value {
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
