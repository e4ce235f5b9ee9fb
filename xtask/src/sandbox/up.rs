//! Starting the cluster.

use std::{fs, io::Write, os::unix::fs::MetadataExt, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{
    Sandbox, build, cluster::DNS_SERVICE, control_groups, control_plane, dns, down, images,
    network, node, packages, pki,
};
use crate::progress::step;

/// Written last: a cluster without it was left half started.
const COMPLETE: &str = "complete";

/// How long a cluster that seems up may take to say that it is.
const HEALTHY: Duration = Duration::from_secs(30);
const READY: Duration = Duration::from_secs(90);

/// Whether the cluster gets a DNS server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Dns<'a> {
    /// Pods find services by name.
    With,
    /// They do, by this build of the server.
    By(&'a Path),
    /// They do not: for work on the DNS server itself.
    Without,
}

/// Starts the cluster. When it is up already, only looks after its DNS server; what is left of a dead one is removed first.
pub(super) fn up(sandbox: &Sandbox, dns: Dns<'_>) -> Result<()> {
    require_root()?;
    fs::create_dir_all(sandbox.cache())
        .with_context(|| format!("create {}", sandbox.cache().display()))?;
    // One at a time: two that start at once would each take the other's half for remains.
    let lock = fs::File::create(sandbox.cache().join("lock"))?;
    lock.lock().context("wait for another `cargo xtask sandbox`")?;
    step("packages", || packages::ensure(packages::RUN))?;
    build::ensure(sandbox)?;
    if is_up(sandbox)? {
        sandbox.check_domain()?;
    } else {
        if !down::leftovers(sandbox)?.is_empty() {
            step("remove the last cluster", || down::clean(sandbox))?;
        }
        start(sandbox)?;
    }
    match dns {
        Dns::With => step("DNS", || dns::ensure(sandbox, &dns::build()?)),
        Dns::By(program) => step("DNS", || dns::ensure(sandbox, program)),
        Dns::Without => Ok(()),
    }
}

/// Whether the cluster is up, whole and Ready.
pub(super) fn is_up(sandbox: &Sandbox) -> Result<bool> {
    if sandbox.node()?.is_none() || !sandbox.run().join(COMPLETE).exists() {
        return Ok(false);
    }
    let processes = sandbox.processes()?;
    let runs = |component| processes.iter().any(|process| process.runs(component));
    if !sandbox.components().iter().all(runs) {
        return Ok(false);
    }
    Ok(node::wait_until_ready(sandbox, None, HEALTHY).is_ok())
}

fn start(sandbox: &Sandbox) -> Result<()> {
    fs::create_dir_all(sandbox.run().join("log"))?;
    sandbox.keep_domain()?;
    let pause = images::pause_program(sandbox)?;
    step("network and node", || {
        control_groups::create(sandbox)?;
        network::create(sandbox)?;
        node::start(sandbox, &pause)
    })?;
    step("certificates", || pki::create(sandbox))?;
    let mut server = control_plane::start_api_server(sandbox)?;
    let mut runtime = node::start_runtime(sandbox)?;
    let mut kubelet = node::start_kubelet(sandbox)?;
    step("containerd and images", || {
        node::wait_for_runtime(sandbox, &mut runtime)?;
        images::load_own(sandbox)
    })?;
    step("API server", || control_plane::wait_for_api_server(sandbox, &mut server))?;
    control_plane::start_controllers(sandbox)?;
    node::start_proxy(sandbox)?;
    step("objects", || apply(sandbox, &objects(sandbox)))?;
    step("node", || node::wait_until_ready(sandbox, Some(&mut kubelet), READY))?;
    sandbox.write(COMPLETE, "")?;
    Ok(())
}

/// What a developer's cluster has besides workloads: DNS under the address that pods ask, and storage for claims.
fn objects(sandbox: &Sandbox) -> Value {
    let (namespace, name) = ("kube-system", "kube-dns");
    let ports = json!([{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]);
    let metadata = json!({"namespace": namespace, "name": name, "labels": {"k8s-app": name, "kubernetes.io/name": "KubeDNS"}});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"clusterIP": DNS_SERVICE, "ports": ports}},
        {
            "apiVersion": "v1", "kind": "Endpoints", "metadata": {"namespace": namespace, "name": name},
            "subsets": [{"addresses": [{"ip": sandbox.node_address()}], "ports": ports}],
        },
        {
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "kubernetes.io/host-path",
            "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        },
    ]})
}

fn apply(sandbox: &Sandbox, objects: &Value) -> Result<()> {
    let mut command = sandbox.kubectl();
    command
        .args(["apply", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("run kubectl")?;
    let mut input = child.stdin.take().context("kubectl's input was asked for as a pipe")?;
    input.write_all(objects.to_string().as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("kubectl apply: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

pub(super) fn require_root() -> Result<()> {
    if fs::metadata("/proc/self")?.uid() == 0 {
        return Ok(());
    }
    bail!(
        "the sandbox cluster makes network namespaces and mounts, so it needs root: run the same command as root, for instance by `sudo -E env PATH=$PATH`"
    )
}
