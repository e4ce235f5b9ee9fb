use super::*;
use serde_json::json;

fn spec() -> PodSpec {
    serde_json::from_value(json!({"containers": [
        {"name": "app", "ports": [
            {"containerPort": 8080, "name": "http"},
            {"containerPort": 53, "name": "dns", "protocol": "UDP"},
            {"containerPort": 9899, "protocol": "SCTP"},
        ]},
        {"name": "proxy", "ports": [{"containerPort": 15001, "name": "admin"}]},
    ]}))
    .unwrap()
}

fn service(name: &str, ports: serde_json::Value) -> Service {
    serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"ports": ports}})).unwrap()
}

fn mapped(
    services: &[Service],
    mappings: &[&str],
) -> Result<Vec<(u16, u16, Vec<String>)>, PortError> {
    let mappings: Vec<PortMapping> = mappings.iter().map(|text| text.parse().unwrap()).collect();
    let ports = map(&spec(), "app", services, &mappings)?;
    let tcp = ports.inbound.into_iter().filter(|port| port.protocol.is_tcp());
    Ok(tcp.map(|port| (port.remote, port.local, port.services)).collect())
}

/// As `PROTOCOL REMOTE>LOCAL SERVICES`.
fn told(services: &[Service], mappings: &[&str]) -> Vec<String> {
    let mappings: Vec<PortMapping> = mappings.iter().map(|text| text.parse().unwrap()).collect();
    let ports = map(&spec(), "app", services, &mappings).unwrap().inbound;
    let tell = |port: &InboundPort| {
        let InboundPort { remote, protocol, local, services, .. } = port;
        format!("{protocol} {remote}>{local} {}", services.join(","))
    };
    ports.iter().map(tell).collect()
}

#[test]
fn declared_ports_map_to_themselves() {
    assert_eq!(told(&[], &[]), ["UDP 53>53 ", "TCP 8080>8080 "]);
    assert_eq!(map(&spec(), "app", &[], &[]).unwrap().not_carried, ["9899/SCTP"]);
}

#[test]
fn a_number_of_both_protocols_is_mapped_for_both() {
    let services = [
        service("dns", json!([{"port": 53, "protocol": "UDP", "targetPort": "dns"}, {"port": 53}])),
        service("quic", json!([{"port": 443, "protocol": "UDP", "targetPort": 8080}])),
    ];
    assert_eq!(
        told(&services, &["53:5353", "http:3000"]),
        ["TCP 53>5353 dns:53", "UDP 53>5353 dns:53", "TCP 8080>3000 ", "UDP 8080>8080 quic:443"]
    );
    assert_eq!(told(&[], &["dns:5353"]), ["UDP 53>5353 ", "TCP 8080>8080 "]);
    assert_eq!(told(&[], &["7000"])[1], "TCP 7000>7000 ", "TCP where nothing else is known");
    assert_eq!(
        told(&[], &["7000/udp", "8080/udp:1", "53/udp:5353"]),
        ["UDP 53>5353 ", "UDP 7000>7000 ", "TCP 8080>8080 ", "UDP 8080>1 "]
    );
}

#[test]
fn services_add_their_targets_unless_these_belong_to_another_container() {
    let services = [
        service(
            "web",
            json!([{"port": 80, "targetPort": "http"}, {"port": 9090}, {"port": 81, "targetPort": "admin"}]),
        ),
        service(
            "also",
            json!([{"port": 8080}, {"port": 15001}, {"port": 5353, "targetPort": "dns", "protocol": "UDP"}]),
        ),
        service("odd", json!([{"port": 1, "targetPort": "nobody"}])),
    ];
    assert_eq!(
        mapped(&services, &[]).unwrap(),
        [
            (8080, 8080, vec!["web:80".to_owned(), "also:8080".to_owned()]),
            (9090, 9090, vec!["web:9090".to_owned()])
        ]
    );
}

#[test]
fn mappings_go_by_number_or_name_and_add_ports() {
    assert_eq!(
        mapped(&[], &["http:3000", "7000:7001"]).unwrap(),
        [(7000, 7001, vec![]), (8080, 3000, vec![])]
    );
    assert_eq!(mapped(&[], &["8080:3000", "http:3000"]).unwrap(), [(8080, 3000, vec![])]);
}

#[test]
fn mappings_that_make_no_sense_are_refused() {
    for (mappings, expected) in [
        (
            &["web:1"][..],
            "the container 'app' has no port named 'web'; it has 53 (dns), 8080 (http)",
        ),
        (&["admin"][..], "port admin belongs to the container 'proxy'"),
        (&["15001"][..], "port 15001 belongs to the container 'proxy'"),
        (&["8080:1", "http:2"][..], "port 8080 is mapped to both 1 and 2"),
        (&["9000:8080"][..], "ports 8080 and 9000 would both come to port 8080 of this machine"),
    ] {
        assert_eq!(mapped(&[], mappings).unwrap_err().to_string(), expected);
    }
}
