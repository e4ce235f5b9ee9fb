//! Every kind of workload: it is stood in for, and afterwards it is what it was.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use towline_cluster_tests::app::{HTTP, container, service, template, workload};
use towline_cluster_tests::here::Answering;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::node;

/// A workload of [`HTTP`] on port 8080 in its namespace, with a service `app` in front, ready.
struct Case {
    namespace: Namespace,
    kind: &'static str,
    pods: usize,
}

impl Case {
    async fn prepare(kind: &'static str, pods: usize, manifest: Value) -> Result<Self> {
        let namespace = Namespace::create(&format!("kind-{}", kind.to_lowercase())).await?;
        namespace.apply([manifest, service("app", 80, "http")]).await?;
        namespace.ready("app", pods).await?;
        Ok(Self { namespace, kind, pods })
    }

    /// Connects to `target`; every pod must be answered by the local program, then by itself again, and the workload be what it was.
    async fn is_stood_in_for(&self, target: &str) -> Result<()> {
        let before = self.namespace.workload(self.kind, "app").await?;
        let host = self.namespace.cluster_ip("app").await?;
        let local = Answering::anywhere("local").await?;
        let mut session =
            self.namespace.connect(&[target, "--port", &local.mapped("http")], &[])?;
        let connected = session.event("connected").await?;
        ensure!(
            connected["pods"].as_array().is_some_and(|pods| pods.len() == self.pods),
            "{connected}"
        );

        self.namespace.ready("app", self.pods).await?;
        self.every_pod_answers(|answer| answer == "local").await?;
        // The node's rules for the service follow its pods a moment later.
        node::answers(&format!("http://{host}/"), "local").await?;

        let status = session.stop().await?;
        ensure!(
            status.success() || status.code() == Some(130),
            "towline ended with {status}\n{}",
            session.told()
        );
        // By now the workload's own pods serve: not later.
        self.every_pod_answers(|answer| answer.starts_with("cluster ")).await?;
        let after = self.namespace.workload(self.kind, "app").await?;
        ensure!(after == before, "the workload was\n{before:#}\nand is\n{after:#}");
        self.namespace.ready("app", self.pods).await?;
        self.namespace.nothing_left().await
    }

    /// Asks each pod that is not on its way out at its own address, once.
    async fn every_pod_answers(&self, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let pods = self.namespace.pods("app").await?;
        let staying = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
        let mut count = 0;
        for pod in staying {
            let ip = pod
                .status
                .as_ref()
                .and_then(|status| status.pod_ip.as_ref())
                .context("a pod's address")?;
            let answer = node::get(&format!("http://{ip}:8080/")).await?;
            ensure!(wanted(&answer), "{:?} is answered by '{answer}'", pod.metadata.name);
            count += 1;
        }
        ensure!(count == self.pods, "{count} pods, expected {}", self.pods);
        Ok(())
    }
}

fn of_kind(kind: &str, replicas: Option<u32>) -> Value {
    workload(kind, "app", replicas, &[container(HTTP, 8080)])
}

fn on_delete(mut manifest: Value) -> Value {
    manifest["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    manifest
}

#[tokio::test]
async fn deployment() -> Result<()> {
    Case::prepare("Deployment", 2, of_kind("Deployment", Some(2)))
        .await?
        .is_stood_in_for("deployment/app")
        .await
}

#[tokio::test]
async fn service_and_bare_name() -> Result<()> {
    let case = Case::prepare("Deployment", 1, of_kind("Deployment", Some(1))).await?;
    case.is_stood_in_for("app").await?;
    case.is_stood_in_for("svc/app").await
}

#[tokio::test]
async fn pod_of_a_deployment() -> Result<()> {
    let case = Case::prepare("Deployment", 2, of_kind("Deployment", Some(2))).await?;
    let pod = case
        .namespace
        .pods("app")
        .await?
        .pop()
        .and_then(|pod| pod.metadata.name)
        .context("a pod")?;
    case.is_stood_in_for(&format!("pod/{pod}")).await
}

#[tokio::test]
async fn stateful_set() -> Result<()> {
    Case::prepare("StatefulSet", 2, of_kind("StatefulSet", Some(2)))
        .await?
        .is_stood_in_for("statefulset/app")
        .await
}

#[tokio::test]
async fn stateful_set_on_delete() -> Result<()> {
    let manifest = on_delete(of_kind("StatefulSet", Some(2)));
    Case::prepare("StatefulSet", 2, manifest).await?.is_stood_in_for("sts/app").await
}

#[tokio::test]
async fn stateful_set_with_a_partition() -> Result<()> {
    let mut manifest = of_kind("StatefulSet", Some(2));
    manifest["spec"]["updateStrategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}});
    let case = Case::prepare("StatefulSet", 2, manifest).await?;
    let namespace = &case.namespace;
    let before = namespace.workload("StatefulSet", "app").await?;
    let plan =
        namespace.run(&["plan", "statefulset/app", "-n", &namespace.name, "-o", "json"]).await?;
    let plan: Value = serde_json::from_str(&plan.stdout).with_context(|| format!("{plan:?}"))?;
    ensure!(
        plan["limited_to"].is_string(),
        "the plan says that not every pod gets the agent: {plan}"
    );

    let local = Answering::anywhere("local").await?;
    let mut session =
        namespace.connect(&["statefulset/app", "--port", &local.mapped("http")], &[])?;
    let connected = session.event("connected").await?;
    ensure!(connected["pods"] == json!(["app-1"]), "{connected}");
    for pod in namespace.pods("app").await? {
        let ip = pod.status.and_then(|status| status.pod_ip).context("a pod's address")?;
        let answer = node::get(&format!("http://{ip}:8080/")).await?;
        let expected =
            if pod.metadata.name.as_deref() == Some("app-1") { "local" } else { "cluster app-0" };
        ensure!(answer == expected, "{:?} is answered by '{answer}'", pod.metadata.name);
    }
    session.stop().await?;
    case.every_pod_answers(|answer| answer.starts_with("cluster ")).await?;
    ensure!(
        namespace.workload("StatefulSet", "app").await? == before,
        "the workload is not what it was"
    );
    namespace.nothing_left().await
}

#[tokio::test]
async fn daemon_set() -> Result<()> {
    Case::prepare("DaemonSet", 1, of_kind("DaemonSet", None))
        .await?
        .is_stood_in_for("daemonset/app")
        .await
}

#[tokio::test]
async fn daemon_set_on_delete() -> Result<()> {
    Case::prepare("DaemonSet", 1, on_delete(of_kind("DaemonSet", None)))
        .await?
        .is_stood_in_for("ds/app")
        .await
}

#[tokio::test]
async fn replica_set_alone() -> Result<()> {
    Case::prepare("ReplicaSet", 2, of_kind("ReplicaSet", Some(2)))
        .await?
        .is_stood_in_for("replicaset/app")
        .await
}

#[tokio::test]
async fn bare_pod() -> Result<()> {
    let mut manifest = template("app", &[container(HTTP, 8080)]);
    manifest["apiVersion"] = "v1".into();
    manifest["kind"] = "Pod".into();
    manifest["metadata"]["name"] = "app".into();
    manifest["metadata"]["annotations"] = json!({"example.org/note": "mine"});
    Case::prepare("Pod", 1, manifest).await?.is_stood_in_for("pod/app").await
}
