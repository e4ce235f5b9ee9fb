//! A developer's machine of its own: a network namespace whose only way leads to the API server, over a link that can be cut without
//! disturbing any other test.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;
use std::path::Path;
use std::process::Command as Blocking;

use anyhow::{Context, Result, bail};
use kube::config::Kubeconfig;
use tokio::process::Command;

use crate::namespace::Namespace;
use crate::{node, setting};

/// The links are numbered out of 198.18.0.0/15 (RFC 2544, for tests), behind the sandbox's own first network of it.
const LINKS: Range<u32> = 64..32_768;

/// A machine beside the node, removed when dropped. Programs on it reach the API server, and nothing else of the cluster.
pub struct Machine {
    netns: String,
    link: String,
}

/// A cut link. Whole again when dropped.
pub struct Outage<'a> {
    machine: &'a Machine,
}

impl Machine {
    /// Sets one up. Needs root.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn create() -> Result<Self> {
        remove_orphans()?;
        let node = setting("TOWLINE_SANDBOX_NETNS")?;
        let number = rand::random_range(LINKS);
        let base = 0xc612_0000 + number * 4;
        let address = |host: u32| Ipv4Addr::from(base + host).to_string();
        let (here, there) = (address(1), address(2));
        // The process in the name tells a later run whether this machine is still somebody's.
        let netns = format!("towline-{}-{number:x}", std::process::id());
        let machine = Self { link: format!("tl-{number:x}"), netns: netns.clone() };
        ip(&["netns", "add", &netns])?;
        ip(&[
            "link",
            "add",
            "uplink",
            "netns",
            &netns,
            "type",
            "veth",
            "peer",
            "name",
            &machine.link,
            "netns",
            &node,
        ])?;
        ip(&["-n", &netns, "addr", "add", &format!("{here}/30"), "dev", "uplink"])?;
        ip(&["-n", &node, "addr", "add", &format!("{there}/30"), "dev", &machine.link])?;
        ip(&["-n", &node, "link", "set", &machine.link, "up"])?;
        ip(&["-n", &netns, "link", "set", "lo", "up"])?;
        ip(&["-n", &netns, "link", "set", "uplink", "up"])?;
        ip(&["-n", &netns, "route", "add", &api_server()?.ip().to_string(), "via", &there])?;
        Ok(machine)
    }

    /// The network namespace that it is, as `ip netns` knows it.
    pub fn netns(&self) -> &str {
        &self.netns
    }

    /// A command on this machine.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        node::enter(&self.netns, program, arguments)
    }

    /// `towline connect ARGUMENTS -n NAMESPACE -o json [-- COMMAND]` on this machine, to be started.
    ///
    /// # Errors
    /// When the harness is not set up.
    pub fn connect(
        &self,
        namespace: &Namespace,
        arguments: &[&str],
        program: &[&str],
    ) -> Result<Command> {
        let arguments = namespace.connect_arguments(arguments, program);
        let mut command = self.command(&setting("TOWLINE_TEST_CLI")?, &arguments);
        namespace.surroundings(&mut command)?;
        Ok(command)
    }

    /// Drops every packet between this machine and the cluster, until the outage is dropped.
    ///
    /// # Errors
    /// When the rules are not taken.
    pub fn cut_off(&self) -> Result<Outage<'_>> {
        let outage = Outage { machine: self };
        self.rules("-I")?;
        Ok(outage)
    }

    fn rules(&self, action: &str) -> Result<()> {
        iptables(&[action, "INPUT", "-i", &self.link, "-j", "DROP"])?;
        iptables(&[action, "OUTPUT", "-o", &self.link, "-j", "DROP"])
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The link's other end goes with it.
        let _ = ip(&["netns", "del", &self.netns]);
    }
}

impl Drop for Outage<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.machine.rules("-D") {
            eprintln!(
                "the rules that cut {} off are left on the node: {error:#}",
                self.machine.netns
            );
        }
    }
}

/// A pod that does not reach the API server, until this is dropped.
pub struct Isolated(Vec<String>);

impl Isolated {
    /// Drops every packet from the pod with this address to the API server.
    ///
    /// # Errors
    /// When the rule is not taken.
    pub fn pod(address: &str) -> Result<Self> {
        let server = api_server()?;
        // The service's address has become the server's own by the time that INPUT is asked.
        let (server, port) = (server.ip().to_string(), server.port().to_string());
        let rule =
            ["INPUT", "-s", address, "-d", &server, "-p", "tcp", "--dport", &port, "-j", "DROP"];
        let isolated = Self(rule.map(str::to_owned).to_vec());
        isolated.rule("-I")?;
        Ok(isolated)
    }

    fn rule(&self, action: &str) -> Result<()> {
        let rule = self.0.iter().map(String::as_str);
        iptables(&std::iter::once(action).chain(rule).collect::<Vec<_>>())
    }
}

impl Drop for Isolated {
    fn drop(&mut self) {
        if let Err(error) = self.rule("-D") {
            eprintln!("a rule is left on the node ({}): {error:#}", self.0.join(" "));
        }
    }
}

/// Where the cluster's API server is.
///
/// # Errors
/// When the kubeconfig does not say it by an IPv4 address.
fn api_server() -> Result<SocketAddrV4> {
    let kubeconfig = Kubeconfig::read_from(setting("TOWLINE_TEST_KUBECONFIG")?)?;
    let cluster = kubeconfig.clusters.first().and_then(|named| named.cluster.as_ref());
    let server = cluster
        .and_then(|cluster| cluster.server.as_deref())
        .context("a kubeconfig without a server")?;
    let authority = server.trim_start_matches("https://").trim_end_matches('/');
    authority.parse().with_context(|| format!("{server}: an IPv4 address and a port are needed"))
}

// A test that was killed leaves its machine behind.
fn remove_orphans() -> Result<()> {
    let Ok(entries) = std::fs::read_dir("/run/netns") else { return Ok(()) };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix("towline-").and_then(|rest| rest.split('-').next());
        let Some(process) = process.filter(|id| id.bytes().all(|b| b.is_ascii_digit())) else {
            continue;
        };
        if !Path::new("/proc").join(process).exists() {
            // Another test may be removing it at this moment.
            let _ = ip(&["netns", "del", &name]);
        }
    }
    Ok(())
}

fn iptables(arguments: &[&str]) -> Result<()> {
    let netns = format!("--net=/run/netns/{}", setting("TOWLINE_SANDBOX_NETNS")?);
    succeed(
        Blocking::new("nsenter")
            .arg(netns)
            .args(["--", "iptables", "--wait", "10"])
            .args(arguments),
    )
}

fn ip(arguments: &[&str]) -> Result<()> {
    succeed(Blocking::new("ip").args(arguments))
}

fn succeed(command: &mut Blocking) -> Result<()> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
