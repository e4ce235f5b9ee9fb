//! Workloads for tests: a Python program in a container of the sandbox's `shop` image, and services in front of it.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::{eventually, namespace::Namespace};

/// The image with Python that the sandbox has.
pub const IMAGE: &str = "sandbox.local/shop:1";

/// An HTTP server on the port in its first argument that answers with `cluster <hostname>` (GET), or the body's length (POST).
pub const HTTP: &str = r#"
import http.server, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(f"{sys.argv[2] if len(sys.argv) > 2 else 'cluster'} {socket.gethostname()}")
    def do_POST(self):
        left = int(self.headers["Content-Length"])
        total = left
        while left:
            left -= len(self.rfile.read(min(left, 65536)))
        self.answer(str(total))
    def log_message(self, *arguments):
        pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET
    request_queue_size = 1024
    daemon_threads = True
Server(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"#;

/// A container `main` that runs the Python `program` with `port` as its argument, declares that port as `http`, and is Ready once it listens.
pub fn container(program: &str, port: u16) -> Value {
    json!({
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-u", "-c", program, port.to_string()],
        "ports": [{"name": "http", "containerPort": port}],
        "readinessProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": 1},
        "env": [{"name": "GREETING", "value": "hello"}],
    })
}

/// A pod template of these containers with the label `app: NAME`.
pub fn template(name: &str, containers: &[Value]) -> Value {
    json!({
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": containers, "terminationGracePeriodSeconds": 1},
    })
}

/// A Deployment.
pub fn deployment(name: &str, replicas: u32, containers: &[Value]) -> Value {
    workload("Deployment", name, Some(replicas), containers)
}

/// A Deployment, StatefulSet, DaemonSet (no replicas) or ReplicaSet.
pub fn workload(kind: &str, name: &str, replicas: Option<u32>, containers: &[Value]) -> Value {
    let mut spec = json!({
        "selector": {"matchLabels": {"app": name}},
        "template": template(name, containers),
    });
    if let Some(replicas) = replicas {
        spec["replicas"] = replicas.into();
    }
    if kind == "StatefulSet" {
        spec["serviceName"] = name.into();
    }
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// A service in front of the pods labelled `app: NAME`, on `port`, to their port `target` (a number or a name).
pub fn service(name: &str, port: u16, target: impl Into<Value>) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": port, "targetPort": target.into()}]},
    })
}

impl Namespace {
    /// A Deployment of [`HTTP`] on port 8080 with a service on port 80, ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn http_app(&self, name: &str, replicas: u32) -> Result<()> {
        self.apply([
            deployment(name, replicas, &[container(HTTP, 8080)]),
            service(name, 80, "http"),
        ])
        .await?;
        self.ready(name, replicas as usize).await
    }

    /// Waits until exactly `count` pods labelled `app: NAME` exist, and all are Ready.
    ///
    /// # Errors
    /// When that does not happen.
    pub async fn ready(&self, name: &str, count: usize) -> Result<()> {
        eventually(&format!("{count} ready pods of {name}"), || async {
            let pods = self.pods(name).await?;
            Ok((pods.len() == count && pods.iter().all(is_ready)).then_some(()))
        })
        .await
    }

    /// The pods labelled `app: NAME`, those that are being deleted included.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn pods(&self, name: &str) -> Result<Vec<Pod>> {
        let labelled = ListParams::default().labels(&format!("app={name}"));
        Ok(self.api::<Pod>().list(&labelled).await?.items)
    }

    /// A service's cluster address.
    ///
    /// # Errors
    /// When there is no such service, or it is headless.
    pub async fn cluster_ip(&self, service: &str) -> Result<String> {
        let service = self.api::<Service>().get(service).await?;
        service.spec.and_then(|spec| spec.cluster_ip).context("a service without a cluster address")
    }
}

/// Whether a pod is Ready and stays.
pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    pod.metadata.deletion_timestamp.is_none()
        && conditions
            .is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
}
