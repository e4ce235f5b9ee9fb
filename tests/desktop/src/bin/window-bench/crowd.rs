//! A large cluster: pods that nobody runs, and services in front of them, in the real API server.

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use http::header::{ACCEPT, HeaderValue};
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Resource;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::request::{Error as RequestError, Request};
use serde_json::{Value, json};
use towline_cluster_tests::namespace::Namespace;

/// How many requests are on their way at once.
const WIDTH: usize = 16;

/// What the API server is to answer with: no more of an object than its metadata, which costs it a third less work than the whole object.
const ANSWER: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");

/// How large the cluster is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) pods: u32,
    pub(crate) services: u32,
}

/// The pods and services of a namespace.
pub(crate) struct Crowd<'n> {
    namespace: &'n Namespace,
    pub(crate) size: Size,
    pods: Request,
}

impl<'n> Crowd<'n> {
    /// Makes them. No scheduler knows the pods, so they stay without a node, and nothing collects them; their status is written here.
    pub(crate) async fn create(namespace: &'n Namespace, size: Size) -> Result<Self> {
        let pods = Request::new(Pod::url_path(&(), Some(&namespace.name)));
        let services = Request::new(Service::url_path(&(), Some(&namespace.name)));
        let crowd = Self { namespace, size, pods };
        let made = &crowd;
        each(size.services, |number| {
            let request = services.create(&PostParams::default(), body(&service(number)));
            made.send(request)
        })
        .await
        .context("make the services")?;
        each(size.pods, |number| async move {
            let request = made.pods.create(&PostParams::default(), body(&pod(number, size)));
            made.send(request).await?;
            made.restarts(number, 0).await
        })
        .await
        .context("make the pods")?;
        Ok(crowd)
    }

    /// Says that the pod of this number runs and was restarted so often: what a kubelet writes.
    pub(crate) async fn restarts(&self, number: u32, restarts: u64) -> Result<()> {
        let status = json!({"status": status(restarts)});
        let (parameters, patch) = (PatchParams::default(), Patch::Merge(&status));
        let request = self.pods.patch_subresource("status", &name(number), &parameters, &patch);
        self.send(request).await
    }

    /// Changes a label of the pod of this number.
    pub(crate) async fn label(&self, number: u32, value: &str) -> Result<()> {
        let change = json!({"metadata": {"labels": {"bench/change": value}}});
        let request =
            self.pods.patch(&name(number), &PatchParams::default(), &Patch::Merge(&change));
        self.send(request).await
    }

    // The answer is not looked at: that would cost more than the question.
    async fn send(&self, request: Result<http::Request<Vec<u8>>, RequestError>) -> Result<()> {
        let mut request = request?;
        request.headers_mut().insert(ACCEPT, ANSWER);
        self.namespace.client.request_text(request).await?;
        Ok(())
    }
}

/// Does something for each number below `count`, several at once.
async fn each<F: Future<Output = Result<()>>>(
    count: u32,
    work: impl FnMut(u32) -> F,
) -> Result<()> {
    stream::iter((0..count).map(work)).buffer_unordered(WIDTH).try_collect::<()>().await
}

/// The name of the pod of this number; in the order of names it is at the place of its number.
pub(crate) fn name(number: u32) -> String {
    format!("crowd-{number:05}")
}

fn body(object: &Value) -> Vec<u8> {
    object.to_string().into_bytes()
}

fn pod(number: u32, size: Size) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name(number),
            "labels": {
                "app": group(number % size.services.max(1)),
                "app.kubernetes.io/part-of": "bench",
            },
            "annotations": {"bench/note": "about as much as a pod of a real application carries in its annotations"},
        },
        "spec": {
            // Nobody has this name.
            "schedulerName": "nobody",
            "terminationGracePeriodSeconds": 0,
            "containers": [{
                "name": "main", "image": "sandbox.local/nothing:1",
                "ports": [{"name": "http", "containerPort": 8080}],
                "env": [
                    {"name": "GREETING", "value": "hello"},
                    {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                ],
                "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}},
                "readinessProbe": {"httpGet": {"path": "/", "port": "http"}},
            }],
        },
    })
}

// Without addresses, so that the services have no endpoints and kube-proxy no rules to write.
fn status(restarts: u64) -> Value {
    let since = "2026-01-01T00:00:00Z";
    let ready = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": since});
    let conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map(ready);
    json!({
        "phase": "Running", "startTime": since, "conditions": conditions,
        "containerStatuses": [{
            "name": "main", "image": "sandbox.local/nothing:1", "imageID": "",
            "ready": true, "started": true, "restartCount": restarts,
            "state": {"running": {"startedAt": since}},
        }],
    })
}

fn group(number: u32) -> String {
    format!("group-{number:03}")
}

fn service(number: u32) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": group(number), "labels": {"app.kubernetes.io/part-of": "bench"}},
        "spec": {
            "selector": {"app": group(number)},
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    })
}
