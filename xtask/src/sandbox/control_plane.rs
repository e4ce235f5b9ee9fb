//! etcd, the API server, the controller manager and the scheduler.

use std::time::Duration;

use anyhow::Result;

use super::{
    Sandbox,
    cluster::SERVICES,
    wait::{self, Daemon},
};

const LIMIT: Duration = Duration::from_secs(90);

/// Starts etcd and the API server; they need a few seconds, in which other things can be done.
pub(super) fn start_api_server(sandbox: &Sandbox) -> Result<Daemon> {
    let (pki, data) = (sandbox.pki(), sandbox.run().join("etcd"));
    let (pki, data, address) = (pki.display(), data.display(), sandbox.node_address());
    Daemon::start(
        sandbox,
        "etcd",
        &words(
            "/usr/bin/etcd",
            &[
                &format!("--data-dir={data}"),
                // The data goes with the cluster: nothing is gained by waiting for the disk.
                "--unsafe-no-fsync",
                "--listen-client-urls=http://127.0.0.1:2379",
                "--advertise-client-urls=http://127.0.0.1:2379",
                "--listen-peer-urls=http://127.0.0.1:2380",
            ],
        ),
    )?;
    let program = sandbox.binary("kube-apiserver");
    Daemon::start(
        sandbox,
        "kube-apiserver",
        &words(
            &program.to_string_lossy(),
            &[
                "--etcd-servers=http://127.0.0.1:2379",
                &format!("--service-cluster-ip-range={SERVICES}"),
                &format!("--advertise-address={address}"),
                "--secure-port=6443",
                &format!("--client-ca-file={pki}/ca.crt"),
                "--allow-privileged=true",
                &format!("--tls-cert-file={pki}/apiserver.crt"),
                &format!("--tls-private-key-file={pki}/apiserver.key"),
                // The API server has no DNS that knows the node's name.
                "--kubelet-preferred-address-types=InternalIP",
                &format!("--kubelet-client-certificate={pki}/admin.crt"),
                &format!("--kubelet-client-key={pki}/admin.key"),
                &format!("--service-account-key-file={pki}/sa.pub"),
                &format!("--service-account-signing-key-file={pki}/sa.key"),
                &format!(
                    "--service-account-issuer=https://kubernetes.default.svc.{}",
                    sandbox.domain()
                ),
                "--authorization-mode=Node,RBAC",
                "--enable-admission-plugins=NodeRestriction",
                "--profiling=false",
            ],
        ),
    )
}

/// Waits until the API server says that it is ready.
pub(super) fn wait_for_api_server(sandbox: &Sandbox, server: &mut Daemon) -> Result<()> {
    wait::until("the API server is ready", LIMIT, Some(server), || {
        let output =
            sandbox.kubectl().args(["get", "--raw=/readyz", "--request-timeout=2s"]).output()?;
        Ok((output.status.success() && output.stdout == b"ok").then_some(()))
    })
}

/// Starts the controller manager and the scheduler.
pub(super) fn start_controllers(sandbox: &Sandbox) -> Result<()> {
    let (pki, run) = (sandbox.pki(), sandbox.run().display());
    let pki = pki.display();
    let program = sandbox.binary("kube-controller-manager");
    Daemon::start(
        sandbox,
        "kube-controller-manager",
        &words(
            &program.to_string_lossy(),
            &[
                &format!("--kubeconfig={run}/controller-manager.kubeconfig"),
                "--leader-elect=false",
                "--use-service-account-credentials",
                &format!("--service-account-private-key-file={pki}/sa.key"),
                &format!("--root-ca-file={pki}/ca.crt"),
                // So that tests can make users by certificate signing requests.
                &format!("--cluster-signing-cert-file={pki}/ca.crt"),
                &format!("--cluster-signing-key-file={pki}/ca.key"),
                // Claims get directories of the node: the default storage class.
                "--enable-hostpath-provisioner",
                &format!("--flex-volume-plugin-dir={run}/flex"),
                "--node-monitor-period=1s",
                // Two busy cores can make the kubelet miss some heartbeats.
                "--node-monitor-grace-period=2m",
                "--kube-api-qps=300",
                "--kube-api-burst=600",
                "--concurrent-deployment-syncs=20",
                "--concurrent-replicaset-syncs=20",
                "--concurrent-endpoint-syncs=20",
                "--concurrent-service-endpoint-syncs=20",
                "--mirroring-concurrent-service-endpoint-syncs=10",
                "--concurrent-namespace-syncs=20",
                "--concurrent-gc-syncs=50",
                "--profiling=false",
            ],
        ),
    )?;
    let program = sandbox.binary("kube-scheduler");
    Daemon::start(
        sandbox,
        "kube-scheduler",
        &words(
            &program.to_string_lossy(),
            &[
                &format!("--kubeconfig={run}/scheduler.kubeconfig"),
                "--leader-elect=false",
                "--kube-api-qps=300",
                "--kube-api-burst=600",
                "--profiling=false",
            ],
        ),
    )?;
    Ok(())
}

/// A command line out of a program and its arguments.
pub(super) fn words(program: &str, arguments: &[&str]) -> Vec<String> {
    std::iter::once(program).chain(arguments.iter().copied()).map(ToOwned::to_owned).collect()
}
