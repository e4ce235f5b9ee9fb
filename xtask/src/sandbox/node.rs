//! The node: its first process, containerd, the kubelet and kube-proxy.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::json;

use super::{
    Sandbox,
    cluster::{DNS_SERVICE, PODS},
    control_plane::words,
    wait::{self, Daemon},
};

const LIMIT: Duration = Duration::from_secs(90);

/// Directories whose paths are fixed in kubelet, containerd or the network plugins. On the node each is one of the cluster's own, so that nothing
/// is left on this machine, and two clusters do not meet.
const OWN: [&str; 6] = [
    "/run/containerd",
    "/tmp/hostpath_pv",
    "/var/lib/cni",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
];

/// Starts the node: one process in mount and process namespaces of its own, and in the node's network. When it ends, the kernel ends everything on
/// the node, and every mount made there is gone.
pub(super) fn start(sandbox: &Sandbox, init: &Path) -> Result<()> {
    let program = sandbox.node_program();
    fs::copy(init, &program).with_context(|| format!("copy {}", init.display()))?;
    let resolver = sandbox
        .write("root/etc/resolv.conf", &format!("nameserver {}\n", sandbox.node_address()))?;
    let mut script = String::from("set -e\n");
    for directory in OWN {
        let own = sandbox.run().join("root").join(directory.trim_start_matches('/'));
        fs::create_dir_all(&own)?;
        fs::create_dir_all(directory).with_context(|| format!("create {directory}"))?;
        script += &format!("mount --bind '{}' {directory}\n", own.display());
    }
    script += &format!("mount --bind '{}' \"$(realpath /etc/resolv.conf)\"\n", resolver.display());
    script += &format!("exec '{}'\n", program.display());

    let log = fs::File::create(sandbox.log("node"))?;
    let network = format!("--net={}", sandbox.namespace().display());
    let mut child = Command::new("setsid")
        .args([
            "nsenter",
            &network,
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--mount-proc",
            "sh",
            "-c",
            &script,
        ])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .current_dir("/")
        .spawn()
        .context("start the node's first process")?;
    wait::until("the node's first process runs", LIMIT, None, || {
        if let Some(status) = child.try_wait()? {
            let said = fs::read_to_string(sandbox.log("node")).unwrap_or_default();
            anyhow::bail!("the node's first process ended with {status}: {}", said.trim());
        }
        Ok(sandbox.node()?.map(drop))
    })
}

/// Starts containerd.
pub(super) fn start_runtime(sandbox: &Sandbox) -> Result<Daemon> {
    network_plugins(sandbox)?;
    registries(sandbox)?;
    let (run, socket) = (sandbox.run().display(), sandbox.containerd_socket());
    let configuration = format!(
        r#"version = 2
root = "{run}/containerd"
state = "{run}/containerd-state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "sandbox.local/pause:1"
  restrict_oom_score_adj = true # without CAP_SYS_RESOURCE runc cannot lower oom_score_adj
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{run}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{run}/registries"
"#,
        socket = socket.display()
    );
    let configuration = sandbox.write("containerd.toml", &configuration)?;
    Daemon::start(
        sandbox,
        "containerd",
        &words("/usr/bin/containerd", &["-c", &configuration.to_string_lossy()]),
    )
}

/// Waits until containerd answers.
pub(super) fn wait_for_runtime(sandbox: &Sandbox, runtime: &mut Daemon) -> Result<()> {
    wait::until("containerd answers", LIMIT, Some(runtime), || {
        let output =
            Command::new("ctr").arg("-a").arg(sandbox.containerd_socket()).arg("version").output();
        Ok(output.context("run ctr")?.status.success().then_some(()))
    })
}

fn network_plugins(sandbox: &Sandbox) -> Result<()> {
    let configuration = json!({"cniVersion": "0.4.0", "name": "bridge", "plugins": [
        {
            "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
            "ipam": {"type": "host-local", "dataDir": sandbox.run().join("cni-addresses"), "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]},
        },
        {"type": "portmap", "capabilities": {"portMappings": true}},
    ]});
    sandbox.write("cni/10-bridge.conflist", &configuration.to_string())?;
    Ok(())
}

/// Registries without TLS that tests may start: on this machine, or on the node.
fn registries(sandbox: &Sandbox) -> Result<()> {
    for address in [sandbox.host_address(), sandbox.node_address()] {
        let server = format!("{address}:5000");
        // containerd 1.6 takes no notice of a file without a host table.
        let hosts = format!(
            "server = \"http://{server}\"\n[host.\"http://{server}\"]\ncapabilities = [\"pull\", \"resolve\"]\n"
        );
        sandbox.write(&format!("registries/{server}/hosts.toml"), &hosts)?;
    }
    Ok(())
}

/// Starts the kubelet. It first waits five seconds for a Docker that is not there, so it is best started with the API server, not after it.
pub(super) fn start_kubelet(sandbox: &Sandbox) -> Result<Daemon> {
    let (name, run, pki) = (sandbox.name(), sandbox.run().display(), sandbox.pki());
    let configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": false}, "webhook": {"enabled": true}, "x509": {"clientCAFile": pki.join("ca.crt")}},
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": pki.join("kubelet.crt"),
        "tlsPrivateKeyFile": pki.join("kubelet.key"),
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": sandbox.domain(),
        "resolvConf": "/dev/null",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", sandbox.control_group()),
        "volumePluginDir": sandbox.run().join("flex"),
        "failSwapOn": false,
        "maxPods": 500,
        // A full disk is the developer's own business, not a reason to evict or to drop loaded images.
        "evictionHard": {"nodefs.available": "0%", "imagefs.available": "0%", "memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,
        // Quick to see changes, and no limits of its own: tests wait for every one of these.
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "syncFrequency": "2s",
        "fileCheckFrequency": "2s",
        "nodeStatusUpdateFrequency": "1s",
        "nodeStatusReportFrequency": "1m",
        "serializeImagePulls": false,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "kubeAPIQPS": 300,
        "kubeAPIBurst": 600,
        "enableContentionProfiling": false,
    });
    let configuration = sandbox.write("kubelet.json", &configuration.to_string())?;
    let program = sandbox.binary("kubelet");
    Daemon::start(
        sandbox,
        "kubelet",
        &words(
            &program.to_string_lossy(),
            &[
                &format!("--config={}", configuration.display()),
                &format!("--kubeconfig={run}/kubelet.kubeconfig"),
                "--container-runtime=remote",
                &format!(
                    "--container-runtime-endpoint=unix://{}",
                    sandbox.containerd_socket().display()
                ),
                &format!("--hostname-override={name}"),
                &format!("--node-ip={}", sandbox.node_address()),
            ],
        ),
    )
}

/// Starts kube-proxy.
pub(super) fn start_proxy(sandbox: &Sandbox) -> Result<()> {
    let (name, run) = (sandbox.name(), sandbox.run().display());
    let program = sandbox.binary("kube-proxy");
    Daemon::start(
        sandbox,
        "kube-proxy",
        &words(
            &program.to_string_lossy(),
            &[
                &format!("--kubeconfig={run}/proxy.kubeconfig"),
                "--proxy-mode=iptables",
                "--iptables-min-sync-period=100ms",
                &format!("--hostname-override={name}"),
                &format!("--cluster-cidr={PODS}"),
                "--conntrack-max-per-core=0",
            ],
        ),
    )?;
    Ok(())
}

/// Waits until the node is Ready and takes pods.
pub(super) fn wait_until_ready(
    sandbox: &Sandbox,
    kubelet: Option<&mut Daemon>,
    limit: Duration,
) -> Result<()> {
    let path = "jsonpath={.status.conditions[?(@.type==\"Ready\")].status} {.spec.taints}";
    wait::until("the node is Ready", limit, kubelet, || {
        let arguments = ["get", "node", sandbox.name(), "--request-timeout=5s", "-o", path];
        let output = sandbox.kubectl().args(arguments).output()?;
        Ok((String::from_utf8_lossy(&output.stdout).trim() == "True").then_some(()))
    })
}
