#![allow(clippy::unwrap_used)]

use std::net::TcpListener;

use super::*;
use crate::plan::{Outcome, ServicePod, ServicePort};

fn port(port: u16, name: Option<&str>) -> ServicePort {
    ServicePort { name: name.map(str::to_owned), port, protocol: Protocol::Tcp, target: None }
}

fn service(namespace: &str, name: &str, ports: &[u16]) -> OutboundService {
    OutboundService {
        namespace: namespace.into(),
        name: name.into(),
        cluster_ip: Some("10.96.0.9".parse().unwrap()),
        ports: ports.iter().map(|number| port(*number, None)).collect(),
        pods: Vec::new(),
    }
}

fn wanted(
    services: &[OutboundService],
    inbound: &[InboundPort],
    external: &[ExternalHost],
) -> Wanted {
    Wanted {
        names: Names::HostsFile,
        taken: TakenNames::Refuse,
        home: "shop".into(),
        server: "https://a".into(),
        services: services.to_vec(),
        kubernetes: true,
        external: external.to_vec(),
        inbound: inbound.to_vec(),
    }
}

fn find<'a>(plan: &'a HostsPlan, subject: &str) -> &'a PlannedHost {
    plan.hosts.iter().find(|host| host.subject.to_string() == subject).unwrap()
}

fn inbound(local: u16, services: &[&str]) -> InboundPort {
    let services = services.iter().map(|service| (*service).to_owned()).collect();
    InboundPort { remote: 8080, protocol: Protocol::Tcp, local, name: None, services }
}

#[test]
fn every_service_pod_and_host_has_a_line() {
    let mut headless = service("shop", "web", &[80]);
    headless.cluster_ip = None;
    headless.pods = vec![ServicePod {
        name: "web-0".into(),
        address: "10.0.0.7".parse().unwrap(),
        ports: vec![port(8080, None)],
    }];
    let services =
        [service("shop", "redis", &[6379]), service("billing", "db", &[5432, 5433]), headless];
    let external = [ExternalHost { name: "db.example.com".parse().unwrap(), ports: vec![5432] }];
    let mut checks = Vec::new();
    let plan = lines(
        &wanted(&services, &[], &external),
        &HostsFile::default(),
        BTreeSet::new(),
        &mut checks,
    );
    assert_eq!(checks, []);
    assert_eq!(plan.hosts.len(), 6);
    assert_eq!(find(&plan, "db.billing").ports, [5432, 5433]);
    let pod = find(&plan, "web-0.web.shop");
    assert_eq!((pod.names[0].as_str(), pod.ports.as_slice()), ("web-0.web", [8080, 80].as_slice()));
    let kubernetes = find(&plan, "kubernetes.default");
    assert!(kubernetes.names.contains(&"kubernetes.default.svc".parse().unwrap()));
    assert!(
        !kubernetes.names.contains(&"kubernetes".parse().unwrap()),
        "the target is in another namespace"
    );
    let addresses: BTreeSet<LoopbackAddress> = plan.hosts.iter().map(|host| host.address).collect();
    assert_eq!(addresses.len(), 6, "each has its own");
}

#[test]
fn addresses_that_others_hold_are_passed_over() {
    let services = [service("shop", "redis", &[6379])];
    let mut checks = Vec::new();
    let free =
        lines(&wanted(&services, &[], &[]), &HostsFile::default(), BTreeSet::new(), &mut checks);
    let address = find(&free, "redis.shop").address;
    let file = HostsFile::parse(format!("{address} somebody\n127.0.0.1 localhost\n").as_bytes());
    let beside = lines(&wanted(&services, &[], &[]), &file, BTreeSet::new(), &mut checks);
    assert_ne!(find(&beside, "redis.shop").address, address);
    assert_eq!(beside.held, [address]);
}

#[test]
fn the_service_that_the_program_stands_in_for_leads_to_it() {
    let services = [service("shop", "orders", &[8080]), service("shop", "cart", &[80])];
    let inbound = [inbound(8080, &["orders:8080", "cart:80"])];
    let plan = lines(
        &wanted(&services, &inbound, &[]),
        &HostsFile::default(),
        BTreeSet::new(),
        &mut Vec::new(),
    );
    let own = find(&plan, "orders.shop");
    assert_eq!((own.address, own.ports.len()), (LoopbackAddress::V4, 0));
    assert_eq!(find(&plan, "cart.shop").ports, [80], "port 80 of the service is not the program's");
}

#[test]
fn a_taken_port_is_in_the_way_and_names_who_needs_it() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let number = listener.local_addr().unwrap().port();
    let services = [service("shop", "redis", &[number])];
    let mut plan = lines(
        &wanted(&services, &[], &[]),
        &HostsFile::default(),
        BTreeSet::new(),
        &mut Vec::new(),
    );
    // Port 443, of the API server, is not this test's.
    plan.hosts.retain(|host| host.subject != kubernetes());
    let check = ports::checks(&plan).remove(0);
    assert_eq!((check.outcome, check.code), (Outcome::Blocked, Some(Code::LocalPortTaken)));
    assert!(
        check.message.contains("redis.shop") && check.message.contains(&number.to_string()),
        "{check:?}"
    );
    assert!(check.fix.unwrap().contains("--exclude redis.shop"));
    drop(listener);
    assert_eq!(ports::checks(&plan), []);
}

#[test]
fn an_address_that_somebody_else_listens_at_is_passed_over() {
    let free = service("shop", "redis", &[6379]);
    let before =
        lines(&wanted(&[free], &[], &[]), &HostsFile::default(), BTreeSet::new(), &mut Vec::new());
    let address = find(&before, "redis.shop").address;
    let listener = TcpListener::bind((address.ip(), 0)).unwrap();
    let services = [service("shop", "redis", &[listener.local_addr().unwrap().port()])];
    let beside = lines(
        &wanted(&services, &[], &[]),
        &HostsFile::default(),
        BTreeSet::new(),
        &mut Vec::new(),
    );
    assert_ne!(find(&beside, "redis.shop").address, address);
}

#[test]
fn the_api_server_does_without_its_name_where_its_port_is_taken() {
    let mut plan =
        lines(&wanted(&[], &[], &[]), &HostsFile::default(), BTreeSet::new(), &mut Vec::new());
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    plan.hosts[0].ports = vec![taken.local_addr().unwrap().port()];
    let check = ports::without_kubernetes(&mut plan).unwrap();
    assert_eq!(check.outcome, Outcome::Warning);
    assert!(
        check.message.contains("KUBERNETES_SERVICE_HOST") && plan.hosts.is_empty(),
        "{check:?}"
    );
}

#[test]
fn a_port_of_the_program_is_left_to_it_and_the_others_have_no_name_for_it() {
    let services = [service("shop", "web", &[8080]), service("shop", "both", &[8080, 81])];
    let inbound = [inbound(8080, &["orders:80"])];
    let mut checks = Vec::new();
    let plan =
        lines(&wanted(&services, &inbound, &[]), &HostsFile::default(), [8080].into(), &mut checks);
    assert!(
        plan.hosts.iter().all(|host| host.subject.to_string() != "web.shop"),
        "it has no other port"
    );
    assert_eq!(find(&plan, "both.shop").ports, [81]);
    assert_eq!(checks.len(), 1);
    assert!(
        checks[0].message.contains("both.shop, web.shop") && checks[0].outcome == Outcome::Warning,
        "{checks:?}"
    );
    assert!(checks[0].fix.as_ref().unwrap().contains("--port 8080:18080"));
}

#[test]
fn a_program_that_listens_already_and_on_one_address_has_its_port_safe() {
    let one = TcpListener::bind("127.0.0.1:0").unwrap();
    let all = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let both = [inbound(port(&one), &[]), inbound(port(&all), &[])];
    assert_eq!(ports::left_to_program(&both), [port(&all)].into());
    drop(one);
    assert_eq!(ports::left_to_program(&both).len(), 2, "who is to listen is not known yet");
}

#[test]
fn many_are_counted() {
    let all: Vec<String> = (0..7).map(|number| number.to_string()).collect();
    assert_eq!(listed(&all), "0, 1, 2, 3, 4 and 2 more");
    assert_eq!(listed(&all[..2]), "0, 1");
}

#[test]
fn without_rights_a_port_that_cannot_be_had_has_no_name_and_one_warning_says_so() {
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let services = [service("shop", "web", &[port]), service("shop", "both", &[port, 60_001])];
    let own = Wanted { names: Names::OwnHostsFile, ..wanted(&services, &[], &[]) };
    let mut checks = Vec::new();
    let plan = lines(&own, &HostsFile::default(), BTreeSet::new(), &mut checks);
    assert!(plan.hosts.iter().all(|host| host.subject.to_string() != "web.shop"));
    assert_eq!(find(&plan, "both.shop").ports, [60_001]);
    assert!(plan.left.contains(&port), "the variables lead to another");
    // Who may listen on port 443, of the API server, depends on who runs this.
    let [check] = checks.as_slice() else { panic!("{checks:?}") };
    assert_eq!((check.outcome, check.title.as_str()), (Outcome::Warning, "names"));
    assert!(check.message.contains("both.shop, web.shop"), "{check:?}");

    // The same ports with rights are in the way, as before.
    let plan = lines(
        &wanted(&services, &[], &[]),
        &HostsFile::default(),
        BTreeSet::new(),
        &mut Vec::new(),
    );
    assert_eq!((plan.left.len(), find(&plan, "web.shop").ports.len()), (0, 1));
}
