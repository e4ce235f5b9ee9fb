//! Where one sandbox cluster keeps its things, and how it is reached.

use std::{
    env, fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::processes::{self, Process};
use crate::paths;

/// Where the API server answers inside the cluster: the first address of the service network.
pub(super) const API_SERVICE: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 1);
/// The address that every pod's resolv.conf names.
pub(super) const DNS_SERVICE: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);
/// Where services get their addresses from.
pub(super) const SERVICES: &str = "10.96.0.0/16";
/// Where pods get their addresses from. 500 pods do not fit into the usual /24.
pub(super) const PODS: &str = "10.244.0.0/16";

/// The name of the default cluster, of its node and of its network namespace.
const DEFAULT_NAME: &str = "node";
/// The domain of a cluster that nobody gave another.
const DEFAULT_DOMAIN: &str = "cluster.local";
/// Where a running cluster keeps its domain.
const DOMAIN_FILE: &str = "domain";

/// A cluster of this machine, whether it runs or not.
#[derive(Debug)]
pub(crate) struct Sandbox {
    name: String,
    cache: PathBuf,
    run: PathBuf,
    subnet: u8,
    /// The domain that it is to have, where somebody said so.
    domain: Option<String>,
}

/// A process that a running cluster has.
pub(super) struct Component {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
}

impl Sandbox {
    /// The cluster that `SANDBOX` (a directory) and `TOWLINE_SANDBOX_NAME` name; without them the default one under the user's cache. Two clusters
    /// of different names can be up at once.
    pub(crate) fn from_environment() -> Result<Self> {
        let cache = match env::var_os("SANDBOX") {
            Some(directory) => PathBuf::from(directory),
            None => paths::cache()?.join("sandbox"),
        };
        let name = env::var("TOWLINE_SANDBOX_NAME").unwrap_or_else(|_| DEFAULT_NAME.to_owned());
        Self::named(&name, &cache)
    }

    /// The cluster of this name beside the others of the same directory.
    pub(crate) fn called(&self, name: &str) -> Result<Self> {
        Self::named(name, &self.cache)
    }

    /// The same cluster, which is to have this domain.
    ///
    /// # Errors
    ///
    /// When that is no domain.
    pub(crate) fn with_domain(mut self, domain: &str) -> Result<Self> {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if domain.len() > 200 || !domain.split('.').all(is_label) {
            bail!("`{domain}` is no domain for a cluster: an example is corp.example");
        }
        self.domain = Some(domain.to_owned());
        Ok(self)
    }

    fn named(name: &str, cache: &Path) -> Result<Self> {
        // The name is part of a network interface's name, which has 15 characters at most.
        let characters =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !characters || !(1..=10).contains(&name.len()) {
            bail!(
                "`{name}` cannot name a sandbox cluster: use 1 to 10 lower-case letters and digits (TOWLINE_SANDBOX_NAME)"
            );
        }
        let (run, subnet) = if name == DEFAULT_NAME {
            (cache.join("run"), 0)
        } else {
            let sum = name
                .bytes()
                .fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            (cache.join(format!("run-{name}")), u8::try_from(sum % 255 + 1)?)
        };
        Ok(Self { name: name.to_owned(), cache: cache.to_owned(), run, subnet, domain: None })
    }

    /// The name of the cluster, its node and its network namespace.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The domain of its services' names: the one that it was asked to have, else the one that it has, else the usual one.
    pub(crate) fn domain(&self) -> String {
        let asked = || self.domain.clone();
        asked().or_else(|| self.own_domain()).unwrap_or_else(|| DEFAULT_DOMAIN.to_owned())
    }

    fn own_domain(&self) -> Option<String> {
        fs::read_to_string(self.run.join(DOMAIN_FILE)).ok()
    }

    /// Keeps the domain beside the cluster that is being started.
    pub(super) fn keep_domain(&self) -> Result<()> {
        self.write(DOMAIN_FILE, &self.domain()).map(drop)
    }

    /// Sees that a cluster that is up has the domain that it is to have.
    pub(super) fn check_domain(&self) -> Result<()> {
        let has = self.own_domain().unwrap_or_else(|| DEFAULT_DOMAIN.to_owned());
        match &self.domain {
            Some(wanted) if *wanted != has => bail!(
                "the sandbox cluster {} is up with the domain {has}; take it down before it gets the domain {wanted}",
                self.name
            ),
            _ => Ok(()),
        }
    }

    /// What is kept from one cluster to the next: binaries and images.
    pub(super) fn cache(&self) -> &Path {
        &self.cache
    }

    /// What belongs to the running cluster, and goes with it.
    pub(super) fn run(&self) -> &Path {
        &self.run
    }

    /// A binary that was built or unpacked for the sandbox.
    pub(super) fn binary(&self, name: &str) -> PathBuf {
        self.cache.join("bin").join(name)
    }

    /// Where the sandbox's own binaries are, `kubectl` among them.
    pub(crate) fn binaries(&self) -> PathBuf {
        self.cache.join("bin")
    }

    /// The administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        if self.subnet == 0 {
            self.cache.join("kubeconfig")
        } else {
            self.cache.join(format!("kubeconfig-{}", self.name))
        }
    }

    pub(super) fn log(&self, component: &str) -> PathBuf {
        self.run.join("log").join(format!("{component}.log"))
    }

    pub(super) fn pki(&self) -> PathBuf {
        self.run.join("pki")
    }

    pub(super) fn containerd_socket(&self) -> PathBuf {
        self.run.join("containerd.sock")
    }

    /// The node's network namespace, for `nsenter --net=…`.
    pub(crate) fn namespace(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.name)
    }

    /// The host's end of the link to the node.
    pub(super) fn link(&self) -> String {
        format!("{}-veth", self.name)
    }

    /// The host's address on the link to the node.
    pub(crate) fn host_address(&self) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, self.subnet, 1)
    }

    /// The node's address, where the API server and the DNS server listen.
    pub(crate) fn node_address(&self) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, self.subnet, 2)
    }

    /// The node's part of the control group hierarchy, as a path below its root.
    pub(super) fn control_group(&self) -> String {
        format!("towline-{}", self.name)
    }

    /// The program of the node's first process. Its path is this cluster's alone, so the node is found by it, without a file that could be stale.
    pub(super) fn node_program(&self) -> PathBuf {
        self.run.join("node-init")
    }

    /// The process identifier of the node's first process, if the node runs.
    pub(super) fn node(&self) -> Result<Option<u32>> {
        let program = self.node_program();
        let node = processes::all()?
            .into_iter()
            .find(|process| process.program() == Some(program.as_path()));
        Ok(node.map(|process| process.id()))
    }

    /// Every process in the node's network, but not those in a pod's.
    pub(super) fn processes(&self) -> Result<Vec<Process>> {
        processes::in_network(&self.namespace())
    }

    /// What runs on the node when the cluster is up, the DNS server aside.
    pub(super) fn components(&self) -> Vec<Component> {
        let built = [
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "kube-proxy",
        ];
        let packaged = ["etcd", "containerd"];
        let packaged =
            packaged.map(|name| Component { name, program: Path::new("/usr/bin").join(name) });
        let built = built.map(|name| Component { name, program: self.binary(name) });
        packaged.into_iter().chain(built).collect()
    }

    /// `kubectl` as the cluster's administrator.
    pub(crate) fn kubectl(&self) -> Command {
        let mut command = Command::new(self.binary("kubectl"));
        // The node is on a link of this machine: no proxy knows the way.
        command
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .env("NO_PROXY", "*")
            .env("no_proxy", "*");
        command
    }

    /// Writes a file of the running cluster, with its directory.
    pub(super) fn write(&self, name: &str, contents: &str) -> Result<PathBuf> {
        let path = self.run.join(name);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(&path, contents).with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn clusters_of_different_names_share_only_what_is_cached() {
        let cache = Path::new("/cache");
        let (first, second) =
            (Sandbox::named("node", cache).unwrap(), Sandbox::named("other", cache).unwrap());
        assert_eq!(first.host_address(), Ipv4Addr::new(198, 18, 0, 1));
        assert_ne!(first.node_address(), second.node_address());
        assert_ne!(first.run(), second.run());
        assert_ne!(first.kubeconfig(), second.kubeconfig());
        assert_ne!(first.namespace(), second.namespace());
        assert_eq!(first.binary("kubelet"), second.binary("kubelet"));
    }

    #[test]
    fn a_cluster_has_the_domain_that_it_was_started_with() {
        let cache = xshell::Shell::new().unwrap().create_temp_dir().unwrap();
        let sandbox = || Sandbox::named("node", cache.path()).unwrap();
        assert_eq!(sandbox().domain(), "cluster.local");
        let other = sandbox().with_domain("corp.example").unwrap();
        assert!(other.check_domain().unwrap_err().to_string().contains("domain cluster.local"));
        other.keep_domain().unwrap();
        other.check_domain().unwrap();
        assert_eq!(sandbox().domain(), "corp.example");
        assert!(sandbox().with_domain("cluster.local").unwrap().check_domain().is_err());
        for wrong in ["", "a..b", "Corp", "-a", "a b"] {
            assert!(sandbox().with_domain(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_that_no_interface_can_have_is_refused() {
        for name in ["", "eleven-chars", "Node", "../x", "elevenchars"] {
            let error = Sandbox::named(name, Path::new("/cache")).unwrap_err();
            assert!(error.to_string().contains("TOWLINE_SANDBOX_NAME"), "{name}");
        }
    }
}
