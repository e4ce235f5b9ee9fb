//! The cluster's certificates, keys and kubeconfigs, made anew for each start: the keys are elliptic, so it takes a moment only.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::{Sandbox, cluster::API_SERVICE};

const DAYS: &str = "3650";

/// Who talks to the API server, as `O=group/CN=name`; the names are those that Kubernetes' default roles are bound to.
const CLIENTS: [(&str, &str); 4] = [
    ("admin", "/O=system:masters/CN=admin"),
    ("controller-manager", "/CN=system:kube-controller-manager"),
    ("scheduler", "/CN=system:kube-scheduler"),
    ("proxy", "/CN=system:kube-proxy"),
];

/// Makes everything under `pki/`, the components' kubeconfigs beside it, and the administrator's kubeconfig.
pub(super) fn create(sandbox: &Sandbox) -> Result<()> {
    let pki = sandbox.pki();
    fs::create_dir_all(&pki)?;
    let sh = Shell::new()?;
    sh.change_dir(&pki);
    cmd!(
        sh,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.crt -subj /CN=sandbox-ca -days {DAYS}"
    )
    .quiet()
    .ignore_stderr()
    .run()?;
    certificate(
        &sh,
        "apiserver",
        "/CN=kube-apiserver",
        &format!("extendedKeyUsage=serverAuth\n{}", api_names(sandbox)),
    )?;
    for (name, subject) in CLIENTS {
        certificate(&sh, name, subject, "extendedKeyUsage=clientAuth")?;
    }
    let (name, address) = (sandbox.name(), sandbox.node_address());
    let extensions =
        format!("extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:{name},IP:{address}");
    certificate(&sh, "kubelet", &format!("/O=system:nodes/CN=system:node:{name}"), &extensions)?;
    cmd!(
        sh,
        "openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out sa.key"
    )
    .quiet()
    .ignore_stderr()
    .run()?;
    cmd!(sh, "openssl pkey -in sa.key -pubout -out sa.pub").quiet().ignore_stderr().run()?;

    for name in ["controller-manager", "scheduler", "proxy", "kubelet"] {
        let text = kubeconfig(sandbox, &pki, name)?;
        sandbox.write(&format!("{name}.kubeconfig"), &text)?;
    }
    let path = sandbox.kubeconfig();
    fs::write(&path, kubeconfig(sandbox, &pki, "admin")?)
        .with_context(|| format!("write {}", path.display()))
}

/// The names that kubeadm gives an API server. This machine's own (localhost, 127.0.0.1) are not among them, so that whoever reaches the server
/// by a tunnel has to care for the name, as with a real cluster.
fn api_names(sandbox: &Sandbox) -> String {
    let longest = format!("kubernetes.default.svc.{}", sandbox.domain());
    let names =
        ["kubernetes", "kubernetes.default", "kubernetes.default.svc", &longest, sandbox.name()];
    let names: Vec<_> = names.iter().map(|name| format!("DNS:{name}")).collect();
    format!("subjectAltName={},IP:{API_SERVICE},IP:{}", names.join(","), sandbox.node_address())
}

fn certificate(sh: &Shell, name: &str, subject: &str, extensions: &str) -> Result<()> {
    let file = |ending: &str| format!("{name}.{ending}");
    let (key, request, certificate, extension) =
        (file("key"), file("csr"), file("crt"), file("ext"));
    sh.write_file(&extension, extensions)?;
    cmd!(
        sh,
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {key} -out {request} -subj {subject}"
    )
    .quiet()
    .ignore_stderr()
    .run()?;
    cmd!(
        sh,
        "openssl x509 -req -in {request} -CA ca.crt -CAkey ca.key -CAcreateserial -out {certificate} -days {DAYS} -extfile {extension}"
    )
    .quiet()
    .ignore_stderr()
    .run()?;
    Ok(())
}

fn kubeconfig(sandbox: &Sandbox, pki: &Path, user: &str) -> Result<String> {
    let sh = Shell::new()?;
    sh.change_dir(pki);
    let (certificate, key) = (format!("{user}.crt"), format!("{user}.key"));
    let authority = cmd!(sh, "base64 -w0 ca.crt").quiet().read()?;
    let certificate = cmd!(sh, "base64 -w0 {certificate}").quiet().read()?;
    let key = cmd!(sh, "base64 -w0 {key}").quiet().read()?;
    let address = sandbox.node_address();
    Ok(format!(
        "apiVersion: v1
kind: Config
current-context: sandbox
contexts:
- name: sandbox
  context: {{cluster: sandbox, user: {user}, namespace: default}}
clusters:
- name: sandbox
  cluster:
    server: https://{address}:6443
    certificate-authority-data: {authority}
users:
- name: {user}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
"
    ))
}
