//! The hosts lines that a session in hosts mode needs, and what on this machine stands in their way.

mod beyond;
mod others;
mod ports;
mod udp;

use std::collections::{BTreeMap, BTreeSet};

use towline_machine::hosts_file::HostsFile;
use towline_machine::{HostName, LoopbackAddress};
use towline_wire::Protocol;

use self::beyond::Beyond;
use super::{Check, InboundPort, OutboundService, ServicePort};
use crate::journal::Journal;
use crate::names::{
    Addresses, Clash, DOMAIN, HostsPlan, NETWORK, PlannedHost, SessionNames, Standing, Subject,
    running, standing, table,
};
use crate::report::Code;
use crate::request::{ExternalHost, Names, TakenNames};
use crate::text::sentence;

/// How many names or services a sentence lists before it counts the rest.
const LISTED: usize = 5;

/// What there is to name.
pub(super) struct Wanted {
    /// One of the modes in which there are names.
    pub(super) names: Names,
    pub(super) taken: TakenNames,
    /// The target's namespace, whose services have short names.
    pub(super) home: String,
    /// The API server's address.
    pub(super) server: String,
    pub(super) services: Vec<OutboundService>,
    /// Whether the API server is to have its name.
    pub(super) kubernetes: bool,
    pub(super) external: Vec<ExternalHost>,
    pub(super) inbound: Vec<InboundPort>,
}

/// The API server's own service, which every pod reaches by name whatever its namespace.
pub(super) fn kubernetes() -> Subject {
    Subject::service("default", "kubernetes")
}

/// Reads this machine's hosts file and ports.
pub(super) fn plan(wanted: &Wanted) -> (HostsPlan, Vec<Check>) {
    let mut checks = Vec::new();
    let file = HostsFile::look().unwrap_or_else(|error| {
        let fix = "Mend that, or do without names: --no-admin.".to_owned();
        checks.push(Check::blocked(
            Code::HostsFile,
            "hosts file",
            sentence(&error.to_string()),
            Some(fix),
        ));
        HostsFile::default()
    });
    let known = running(&Journal::of_user()).unwrap_or_else(|error| {
        tracing::warn!(%error, "other sessions are not known");
        Vec::new()
    });
    let known: Vec<SessionNames> = known.into_iter().filter_map(|(_, names)| names).collect();
    let left = ports::left_to_program(&wanted.inbound);
    let mut plan = lines(wanted, &file, left, &mut checks);
    if wanted.names == Names::HostsFile {
        checks.extend(ports::without_kubernetes(&mut plan));
    }
    let ours: BTreeMap<HostName, Subject> = plan
        .hosts
        .iter()
        .flat_map(|host| host.names.iter().map(|name| (name.clone(), host.subject.clone())))
        .collect();
    for found in standing(&file, &known, &ours, &wanted.server) {
        // The program's own hosts file has no lines of other sessions.
        if wanted.names == Names::HostsFile || matches!(found, Standing::Line { .. }) {
            checks.extend(others::settle(&mut plan, found, wanted.taken));
        }
    }
    // Without rights, a port that turns out to be taken is reached by variables, as without names.
    if wanted.names == Names::HostsFile {
        checks.extend(ports::checks(&plan));
    }
    if checks.is_empty() {
        let (lines, names) = (plan.hosts.len(), plan.names());
        let message = format!(
            "{names} names on {lines} addresses of this machine are free, and so are their ports."
        );
        checks.push(Check::passed("names", message));
    }
    (plan, checks)
}

/// The lines, with their addresses.
fn lines(
    wanted: &Wanted,
    file: &HostsFile,
    left: BTreeSet<u16>,
    checks: &mut Vec<Check>,
) -> HostsPlan {
    let mut listening = listening(wanted);
    let left_udp = udp::left(&listening, &wanted.inbound);
    checks.extend(udp::displace(&mut listening, &left_udp));
    let displaced = displace(&mut listening, &left);
    checks.extend(ports::displaced(&displaced, &wanted.inbound));
    let beyond = match wanted.names {
        Names::OwnHostsFile => Beyond::reach_of(listening.values().flat_map(|at| &at.tcp).copied()),
        Names::HostsFile | Names::Variables => Beyond::default(),
    };
    let missing = displace(&mut listening, &beyond.all());
    checks.extend(beyond.missing(&missing));
    let table = table(listening.keys().cloned(), &wanted.home, DOMAIN);
    checks.extend(clashes(&table.clashes));
    if !table.impossible.is_empty() {
        let message =
            format!("These are no host names, and are left out: {}.", listed(&table.impossible));
        checks.push(Check::warning("names", message, None));
    }
    let ours = |address: &LoopbackAddress| match address.ip() {
        std::net::IpAddr::V4(address) => address.octets()[..2] == NETWORK,
        std::net::IpAddr::V6(_) => false,
    };
    let held: BTreeSet<LoopbackAddress> =
        file.addresses().filter_map(|address| address.try_into().ok()).filter(ours).collect();
    let mut addresses = Addresses::new(held.iter().copied());
    let mut hosts = Vec::new();
    let mut left_over = Vec::new();
    for (subject, names) in table.lines {
        let Listening { tcp: ports, udp: udp_ports } =
            listening.get(&subject).cloned().unwrap_or_default();
        // Without ports it is what the local program stands in for.
        let address = if ports.is_empty() && udp_ports.is_empty() {
            Some(LoopbackAddress::V4)
        } else {
            ports::free_address(&mut addresses, &subject, &ports)
        };
        match address {
            Some(address) => {
                hosts.push(PlannedHost { subject, address, names, ports, udp_ports });
            }
            None => left_over.push(subject.to_string()),
        }
    }
    if !left_over.is_empty() {
        let message = format!(
            "There are not enough addresses of 127.77.0.0/16 for {} services: {}.",
            left_over.len(),
            listed(&left_over)
        );
        let fix = "Choose fewer namespaces, or do without names: --no-admin.".to_owned();
        checks.push(Check::blocked(Code::NameTaken, "names", message, Some(fix)));
    }
    let left = &left | &beyond.all();
    HostsPlan {
        domain: DOMAIN.to_owned(),
        hosts,
        left,
        left_udp: left_udp.into_keys().collect(),
        without: BTreeSet::new(),
        held: held.into_iter().collect(),
    }
}

/// Takes the ports that are left to the local program from everybody else, and names from those that have no other; says from whom, by port.
fn displace(
    listening: &mut BTreeMap<Subject, Listening>,
    left: &BTreeSet<u16>,
) -> BTreeMap<u16, Vec<Subject>> {
    let mut displaced: BTreeMap<u16, Vec<Subject>> = BTreeMap::new();
    listening.retain(|subject, at| {
        let was_program = at.is_program();
        at.tcp.retain(|port| {
            let kept = !left.contains(port);
            if !kept {
                displaced.entry(*port).or_default().push(subject.clone());
            }
            kept
        });
        was_program || !at.is_program()
    });
    displaced
}

/// The ports at an address of this machine.
#[derive(Clone, Debug, Default)]
struct Listening {
    tcp: Vec<u16>,
    udp: Vec<u16>,
}

impl Listening {
    fn at(ports: impl Iterator<Item = (u16, Protocol)>) -> Self {
        let mut at = Self::default();
        for (port, protocol) in ports {
            match protocol {
                Protocol::Tcp => at.tcp.push(port),
                Protocol::Udp => at.udp.push(port),
            }
        }
        at
    }

    /// Whether the local program is there itself.
    fn is_program(&self) -> bool {
        self.tcp.is_empty() && self.udp.is_empty()
    }
}

/// What gets names, with the ports at its address.
fn listening(wanted: &Wanted) -> BTreeMap<Subject, Listening> {
    let tcp = |ports: &[u16]| Listening { tcp: ports.to_vec(), udp: Vec::new() };
    let mut all = BTreeMap::new();
    if wanted.kubernetes {
        all.insert(kubernetes(), tcp(&[443]));
    }
    for service in &wanted.services {
        let subject = Subject::service(&service.namespace, &service.name);
        if subject == kubernetes() {
            continue;
        }
        let ports = Listening::at(service.ports.iter().map(|port| (port.port, port.protocol)));
        let ports = if is_own(wanted, service) { Listening::default() } else { ports };
        for pod in &service.pods {
            let (namespace, name) = (service.namespace.clone(), service.name.clone());
            let subject = Subject::Pod { namespace, service: name, pod: pod.name.clone() };
            let ports = pod.ports(service).into_iter().map(|port| (port.port, port.protocol));
            all.insert(subject, Listening::at(ports));
        }
        all.insert(subject, ports);
    }
    for host in &wanted.external {
        all.insert(Subject::External { host: host.name.clone() }, tcp(&host.ports));
    }
    all
}

/// Whether the service leads to the local program itself, under the very ports that it listens on here. A listener of ours would keep a program from
/// them that listens on all addresses, as many do; and the way through the cluster and back would end at the same place.
fn is_own(wanted: &Wanted, service: &OutboundService) -> bool {
    let leads_here = |port: &ServicePort| {
        let label = format!("{}:{}", service.name, port.port);
        wanted.inbound.iter().any(|inbound| {
            (inbound.local, inbound.protocol) == (port.port, port.protocol)
                && inbound.services.contains(&label)
        })
    };
    service.namespace == wanted.home && service.ports.iter().all(leads_here)
}

fn clashes(clashes: &[Clash]) -> Vec<Check> {
    let mut by_pair: BTreeMap<(&Subject, &Subject), Vec<String>> = BTreeMap::new();
    for clash in clashes {
        by_pair.entry((&clash.winner, &clash.loser)).or_default().push(clash.name.to_string());
    }
    let told = by_pair.into_iter().map(|((winner, loser), names)| {
        let message = format!(
            "{} leads to {winner}, as it does in the pod, and not to {loser}.",
            listed(&names)
        );
        Check::warning("names", message, None)
    });
    told.collect()
}

/// The first few, and how many more.
fn listed(all: &[String]) -> String {
    let shown: Vec<&str> = all.iter().take(LISTED).map(String::as_str).collect();
    match all.len().saturating_sub(LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
