//! Whether the ports of the planned addresses can be had.
//!
//! Linux gives a port of one address to nobody while somebody listens on that port of all addresses, and the other way round, whatever options (`SO_REUSEADDR`)
//! either of them sets; a name in the hosts file would then lead to that other program.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use towline_machine::{LoopbackAddress, holder};

use super::{kubernetes, listed};
use crate::names::{Addresses, HostsPlan, NETWORK, PlannedHost, Subject, socket};
use crate::plan::{Check, InboundPort};
use crate::ports::{TakenPort, Way, named, way};
use crate::report::Code;

/// The loopback answers at once, or something that is there has no room for connections.
const ANSWER: Duration = Duration::from_millis(200);

/// The ports of the local program that nobody else is to listen on. A program that listens already, and not on all addresses, has its port safe.
pub(super) fn left_to_program(inbound: &[InboundPort]) -> BTreeSet<u16> {
    let other = Ipv4Addr::new(NETWORK[0], NETWORK[1], 255, 254);
    let is_safe = |port: u16| {
        TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), ANSWER).is_ok()
            && socket::listen((other, port).into()).is_ok()
    };
    let tcp = inbound.iter().filter(|port| port.protocol.is_tcp());
    tcp.map(|port| port.local).filter(|port| !is_safe(*port)).collect()
}

/// One check for each port that the local program takes from others.
pub(super) fn displaced(
    by_port: &BTreeMap<u16, Vec<Subject>>,
    inbound: &[InboundPort],
) -> Vec<Check> {
    let told = by_port.iter().map(|(port, subjects)| {
        let names: Vec<String> = subjects.iter().map(ToString::to_string).collect();
        let message = format!(
            "Port {port} of this machine is left to your program, so {} cannot be reached under it by name, but by service variables only.",
            listed(&names)
        );
        let is_it = |inbound: &&InboundPort| inbound.local == *port && inbound.protocol.is_tcp();
        let remote = inbound.iter().find(is_it).map_or(*port, |inbound| inbound.remote);
        let fix = format!(
            "To have the name, let your program listen on another port, such as --port {remote}:{}.",
            port.saturating_add(10_000).max(1024)
        );
        Check::warning("names", message, Some(fix))
    });
    told.collect()
}

/// How many addresses are looked at for a service. Where somebody listens on all addresses, none is free.
const TRIES: usize = 4;

/// An address at which nobody listens on these ports; if there seems to be none, the first that was thought of.
pub(super) fn free_address(
    addresses: &mut Addresses,
    subject: &Subject,
    ports: &[u16],
) -> Option<LoopbackAddress> {
    let first = addresses.of(subject)?;
    let mut next = Some(first);
    for _ in 0..TRIES {
        let address = next?;
        if ports.iter().all(|port| !taken(SocketAddr::new(address.ip(), *port))) {
            return Some(address);
        }
        next = addresses.another(subject);
    }
    addresses.decide(subject.clone(), first);
    Some(first)
}

/// Takes the API server's line away where its port cannot be had: it is in the environment whatever else there is, and can do without.
pub(super) fn without_kubernetes(plan: &mut HostsPlan) -> Option<Check> {
    let at = plan.hosts.iter().position(|host| host.subject == kubernetes())?;
    let host = &plan.hosts[at];
    let port = *host.ports.iter().find(|port| taken(SocketAddr::new(host.address.ip(), **port)))?;
    let by = named(&holder::find(host.address.ip(), port).unwrap_or_default());
    let by = by.map(|names| format!(" by {names}")).unwrap_or_default();
    plan.hosts.remove(at);
    let message = format!(
        "Port {port} of this machine is taken{by}: the API server has no name here, and is reached by KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT only."
    );
    Some(Check::warning("names", message, None))
}

/// One check for each port that is taken.
pub(super) fn checks(plan: &HostsPlan) -> Vec<Check> {
    let mut by_port: BTreeMap<u16, Vec<&PlannedHost>> = BTreeMap::new();
    for host in &plan.hosts {
        for port in &host.ports {
            by_port.entry(*port).or_default().push(host);
        }
    }
    let mut checks = Vec::new();
    for (port, hosts) in by_port {
        let taken: Vec<&PlannedHost> = hosts
            .into_iter()
            .filter(|host| taken(SocketAddr::new(host.address.ip(), port)))
            .collect();
        if let Some(first) = taken.first() {
            checks.push(blocked(port, first, &taken));
        }
    }
    checks
}

fn blocked(port: u16, first: &PlannedHost, taken: &[&PlannedHost]) -> Check {
    let address = first.address.ip();
    let holders = holder::find(address, port)
        .inspect_err(|error| tracing::debug!(%error, port, "its holders are not known"))
        .unwrap_or_default();
    let by = named(&holders).map(|names| format!(" by {names}")).unwrap_or_default();
    let message =
        format!("Port {port} of this machine, which {} needs, is taken{by}.", subjects(taken));
    let leave_out = match taken {
        [_] => format!("leave the service out with --exclude {}", first.subject),
        _ => "leave the services out with --exclude NAME".to_owned(),
    };
    let stop = match holders.first().map(way) {
        None => "Stop what listens there".to_owned(),
        Some(Way::Never { instead, .. }) => instead.trim_end_matches('.').to_owned(),
        Some(Way::Unit { unit }) => {
            format!("Have the service stopped (`systemctl stop {unit}`) by --free-port {port}")
        }
        Some(Way::Signal | Way::Helper) => format!("Have it stopped by --free-port {port}"),
    };
    let fix = format!("{stop}, {leave_out}, or do without names: --no-admin.");
    let wanted_by = taken.iter().map(|host| host.subject.to_string()).collect();
    let about = TakenPort { address, port, wanted_by, remote: None, holders };
    Check::blocked(Code::LocalPortTaken, "local port", message, Some(fix)).about(about)
}

fn subjects(hosts: &[&PlannedHost]) -> String {
    listed(&hosts.iter().map(|host| host.subject.to_string()).collect::<Vec<_>>())
}

/// Whether somebody else has it. A low port is not ours to try, but whoever listens there takes connections.
fn taken(address: SocketAddr) -> bool {
    match socket::listen(address) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => true,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            TcpStream::connect_timeout(&address, ANSWER).is_ok()
        }
        // An address that is not there yet (macOS) is added by the helper.
        Ok(_) | Err(_) => false,
    }
}
