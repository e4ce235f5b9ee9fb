#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use hickory_proto::{
    op::ResponseCode::{NXDomain, NoError},
    rr::{
        Name,
        RecordType::{self, A, AAAA, ANY, CNAME, PTR, SOA, SRV, TXT},
    },
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Answer, Objects, Zone};

fn objects<K: DeserializeOwned>(values: &[Value]) -> Vec<Arc<K>> {
    values.iter().map(|value| Arc::new(serde_json::from_value(value.clone()).unwrap())).collect()
}

fn zone_of(services: &[Value], endpoints: &[Value], pods: &[Value]) -> Zone {
    let objects =
        Objects { services: objects(services), endpoints: objects(endpoints), pods: objects(pods) };
    Zone::build(&Name::from_ascii("Cluster.Local").unwrap(), 7, &objects)
}

fn service(namespace: &str, name: &str, spec: Value) -> Value {
    json!({"metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

fn endpoints(namespace: &str, name: &str, subsets: Value) -> Value {
    json!({"metadata": {"name": name, "namespace": namespace}, "subsets": subsets})
}

fn ask(zone: &Zone, name: &str, kind: RecordType) -> Answer {
    zone.answer(&name.parse::<Name>().unwrap().into(), kind)
}

/// The answer's records as text, without owner and TTL, sorted.
fn data(answer: &Answer) -> Vec<String> {
    let mut data: Vec<_> = answer.answers.iter().map(|record| record.data.to_string()).collect();
    data.sort();
    data
}

#[track_caller]
fn assert_records(zone: &Zone, name: &str, kind: RecordType, expected: &[&str]) {
    let answer = ask(zone, name, kind);
    assert_eq!(answer.code, NoError, "{name} {kind}");
    assert_eq!(data(&answer), expected, "{name} {kind}");
    assert!(answer.soa.is_none(), "a positive answer has no SOA");
}

/// There is such a name, without such records.
#[track_caller]
fn assert_nodata(zone: &Zone, name: &str, kind: RecordType) {
    let answer = ask(zone, name, kind);
    assert_eq!((answer.code, data(&answer)), (NoError, Vec::new()), "{name} {kind}");
    assert!(answer.soa.is_some(), "{name}: how long it holds must be said");
}

#[track_caller]
fn assert_unknown(zone: &Zone, name: &str, apex: &str) {
    for kind in [A, AAAA, SRV] {
        let answer = ask(zone, name, kind);
        assert_eq!((answer.code, data(&answer)), (NXDomain, Vec::new()), "{name} {kind}");
        let soa = answer.soa.unwrap();
        assert_eq!(soa.name.to_string(), apex, "{name}");
        assert!(soa.ttl <= 1, "a new service must be found within a second");
    }
}

fn orders() -> Zone {
    let orders = service(
        "shop",
        "orders",
        json!({"clusterIP": "10.96.1.2", "clusterIPs": ["10.96.1.2", "fd00::2"], "ports": [
            {"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]}),
    );
    let one_port =
        service("shop", "plain", json!({"clusterIP": "10.96.1.3", "ports": [{"port": 6379}]}));
    // A service with an address ignores its endpoints.
    let endpoints = endpoints(
        "shop",
        "orders",
        json!([{"addresses": [{"ip": "10.244.0.9", "hostname": "x"}], "ports": [{"name": "http", "port": 8080}]}]),
    );
    zone_of(&[orders, one_port], &[endpoints], &[])
}

#[test]
fn a_service_has_its_addresses() {
    let zone = orders();
    assert_records(&zone, "orders.shop.svc.cluster.local.", A, &["10.96.1.2"]);
    assert_records(&zone, "orders.shop.svc.cluster.local.", AAAA, &["fd00::2"]);
    assert_records(&zone, "ORDERS.shop.SVC.cluster.LOCAL.", A, &["10.96.1.2"]);
    assert_records(&zone, "plain.shop.svc.cluster.local.", A, &["10.96.1.3"]);
    assert_eq!(ask(&zone, "orders.shop.svc.cluster.local.", ANY).answers.len(), 2);
}

#[test]
fn a_named_port_has_an_srv_record_with_the_address_beside_it() {
    let zone = orders();
    assert_records(
        &zone,
        "_http._tcp.orders.shop.svc.cluster.local.",
        SRV,
        &["0 100 80 orders.shop.svc.cluster.local."],
    );
    assert_records(
        &zone,
        "_dns._udp.orders.shop.svc.cluster.local.",
        SRV,
        &["0 100 53 orders.shop.svc.cluster.local."],
    );
    let additionals = ask(&zone, "_http._tcp.orders.shop.svc.cluster.local.", SRV).additionals;
    let mut additionals: Vec<_> =
        additionals.iter().map(|record| record.data.to_string()).collect();
    additionals.sort();
    assert_eq!(additionals, ["10.96.1.2", "fd00::2"]);
    assert_unknown(&zone, "_http._udp.orders.shop.svc.cluster.local.", "cluster.local.");
    assert_unknown(&zone, "_tcp.plain.shop.svc.cluster.local.", "cluster.local.");
}

#[test]
fn an_address_leads_back_to_its_service() {
    let zone = orders();
    assert_records(&zone, "2.1.96.10.in-addr.arpa.", PTR, &["orders.shop.svc.cluster.local."]);
    let v6 = Name::from("fd00::2".parse::<std::net::IpAddr>().unwrap()).to_string();
    assert_records(&zone, &v6, PTR, &["orders.shop.svc.cluster.local."]);
    assert_unknown(&zone, "9.0.244.10.in-addr.arpa.", "in-addr.arpa.");
    assert_unknown(&zone, "1.ip6.arpa.", "ip6.arpa.");
}

#[test]
fn a_known_name_without_such_records_is_no_unknown_name() {
    let zone = orders();
    assert_nodata(&zone, "plain.shop.svc.cluster.local.", AAAA);
    assert_nodata(&zone, "orders.shop.svc.cluster.local.", TXT);
    assert_nodata(&zone, "orders.shop.svc.cluster.local.", SRV);
    assert_nodata(&zone, "2.1.96.10.in-addr.arpa.", A);
    for between in [
        "cluster.local.",
        "svc.cluster.local.",
        "shop.svc.cluster.local.",
        "_tcp.orders.shop.svc.cluster.local.",
        "1.96.10.in-addr.arpa.",
    ] {
        assert_nodata(&zone, between, A);
    }
}

#[test]
fn every_other_name_does_not_exist() {
    let zone = orders();
    for name in [
        "invoices.shop.svc.cluster.local.",
        "orders.default.svc.cluster.local.",
        "orders.svc.cluster.local.",
        "x.orders.shop.svc.cluster.local.",
        "orders.shop.pod.cluster.local.",
    ] {
        assert_unknown(&zone, name, "cluster.local.");
    }
    // What a search list asks for on the way, and the world outside.
    for name in [
        "orders.",
        "orders.shop.",
        "example.com.",
        "local.",
        "cluster.local.example.com.",
        "notcluster.local.",
    ] {
        assert_unknown(&zone, name, ".");
    }
}

#[test]
fn the_domain_says_its_version_and_authority() {
    let zone = zone_of(&[], &[], &[]);
    assert_records(&zone, "dns-version.cluster.local.", TXT, &["1.1.0"]);
    let soa = ask(&zone, "cluster.local.", SOA);
    assert_eq!(data(&soa), ["ns.cluster.local. hostmaster.cluster.local. 7 3600 600 86400 1"]);
}

fn catalogue(publish_unready: bool) -> Zone {
    let spec = json!({"clusterIP": "None", "publishNotReadyAddresses": publish_unready, "ports": [{"name": "http", "port": 8080}]});
    let subsets = json!([
        {"addresses": [{"ip": "10.244.0.5", "hostname": "catalogue-0"}, {"ip": "10.244.0.7"}, {"ip": "fd00::7", "hostname": "catalogue-0"}],
         "notReadyAddresses": [{"ip": "10.244.0.6", "hostname": "catalogue-1"}], "ports": [{"name": "http", "port": 8080}]},
        {"addresses": [{"ip": "10.244.0.5", "hostname": "catalogue-0"}], "ports": [{"name": "metrics", "port": 9090}, {"port": 1}]}]);
    let elsewhere =
        endpoints("default", "catalogue", json!([{"addresses": [{"ip": "10.244.0.99"}]}]));
    zone_of(
        &[service("shop", "catalogue", spec)],
        &[endpoints("shop", "catalogue", subsets), elsewhere],
        &[],
    )
}

#[test]
fn a_headless_service_has_the_address_of_every_ready_endpoint() {
    let zone = catalogue(false);
    assert_records(&zone, "catalogue.shop.svc.cluster.local.", A, &["10.244.0.5", "10.244.0.7"]);
    assert_records(&zone, "catalogue.shop.svc.cluster.local.", AAAA, &["fd00::7"]);
    assert_records(&zone, "catalogue-0.catalogue.shop.svc.cluster.local.", A, &["10.244.0.5"]);
    assert_records(&zone, "catalogue-0.catalogue.shop.svc.cluster.local.", AAAA, &["fd00::7"]);
    assert_records(&zone, "10-244-0-7.catalogue.shop.svc.cluster.local.", A, &["10.244.0.7"]);
    assert_unknown(&zone, "catalogue-1.catalogue.shop.svc.cluster.local.", "cluster.local.");
    assert_records(
        &zone,
        "5.0.244.10.in-addr.arpa.",
        PTR,
        &["catalogue-0.catalogue.shop.svc.cluster.local."],
    );
}

#[test]
fn unready_endpoints_are_published_on_demand() {
    let zone = catalogue(true);
    assert_records(
        &zone,
        "catalogue.shop.svc.cluster.local.",
        A,
        &["10.244.0.5", "10.244.0.6", "10.244.0.7"],
    );
    assert_records(&zone, "catalogue-1.catalogue.shop.svc.cluster.local.", A, &["10.244.0.6"]);
}

#[test]
fn the_ports_of_a_headless_service_lead_to_each_endpoint() {
    let zone = catalogue(false);
    assert_records(
        &zone,
        "_http._tcp.catalogue.shop.svc.cluster.local.",
        SRV,
        &[
            "0 100 8080 10-244-0-7.catalogue.shop.svc.cluster.local.",
            "0 100 8080 catalogue-0.catalogue.shop.svc.cluster.local.",
        ],
    );
    let answer = ask(&zone, "_metrics._tcp.catalogue.shop.svc.cluster.local.", SRV);
    assert_eq!(data(&answer), ["0 100 9090 catalogue-0.catalogue.shop.svc.cluster.local."]);
    assert_eq!(answer.additionals.len(), 2, "both addresses of catalogue-0");
}

#[test]
fn a_headless_service_without_ready_endpoints_does_not_exist() {
    let spec = json!({"clusterIP": "None", "ports": [{"name": "http", "port": 8080}]});
    let unready = endpoints(
        "shop",
        "catalogue",
        json!([{"notReadyAddresses": [{"ip": "10.244.0.6"}], "ports": [{"name": "http", "port": 8080}]}]),
    );
    let zone = zone_of(&[service("shop", "catalogue", spec.clone())], &[unready], &[]);
    assert_unknown(&zone, "catalogue.shop.svc.cluster.local.", "cluster.local.");
    let none = zone_of(&[service("shop", "catalogue", spec)], &[], &[]);
    assert_unknown(&none, "catalogue.shop.svc.cluster.local.", "cluster.local.");
}

#[test]
fn external_names_are_aliases_and_are_followed_within_the_cluster() {
    let alias = |name: &str, target: &str| {
        service("shop", name, json!({"type": "ExternalName", "externalName": target}))
    };
    let zone = zone_of(
        &[
            service("db", "redis", json!({"clusterIP": "10.96.3.3", "ports": [{"port": 6379}]})),
            alias("outside", "www.Example.com"),
            alias("inside", "again.shop.svc.cluster.local"),
            alias("again", "redis.db.svc.cluster.local."),
            alias("dangling", "gone.db.svc.cluster.local"),
            alias("circle", "elcric.shop.svc.cluster.local"),
            alias("elcric", "circle.shop.svc.cluster.local"),
            alias("address", "203.0.113.9"),
        ],
        &[],
        &[],
    );
    assert_records(&zone, "outside.shop.svc.cluster.local.", A, &["www.Example.com."]);
    assert_records(&zone, "outside.shop.svc.cluster.local.", CNAME, &["www.Example.com."]);
    assert_records(
        &zone,
        "inside.shop.svc.cluster.local.",
        A,
        &["10.96.3.3", "again.shop.svc.cluster.local.", "redis.db.svc.cluster.local."],
    );
    assert_records(
        &zone,
        "inside.shop.svc.cluster.local.",
        CNAME,
        &["again.shop.svc.cluster.local."],
    );
    assert_records(&zone, "address.shop.svc.cluster.local.", A, &["203.0.113.9"]);

    let none_of_kind = ask(&zone, "again.shop.svc.cluster.local.", AAAA);
    assert_eq!(
        (none_of_kind.code, data(&none_of_kind)),
        (NoError, vec!["redis.db.svc.cluster.local.".to_owned()])
    );
    assert!(none_of_kind.soa.is_some());
    let dangling = ask(&zone, "dangling.shop.svc.cluster.local.", A);
    assert_eq!((dangling.code, dangling.answers.len()), (NXDomain, 1));
    assert_eq!(
        ask(&zone, "circle.shop.svc.cluster.local.", A).code,
        NoError,
        "ends, whatever it says"
    );
}

#[test]
fn a_pod_has_a_name_made_of_its_address() {
    let pod = |name: &str, phase: &str, status: Value| {
        let mut status = status;
        status["phase"] = json!(phase);
        json!({"metadata": {"name": name, "namespace": "shop"}, "status": status})
    };
    let zone = zone_of(
        &[],
        &[],
        &[
            pod(
                "running",
                "Running",
                json!({"podIP": "10.244.0.5", "podIPs": [{"ip": "10.244.0.5"}, {"ip": "fd00::5"}]}),
            ),
            pod("done", "Succeeded", json!({"podIP": "10.244.0.6"})),
            pod("waiting", "Pending", json!({})),
        ],
    );
    assert_records(&zone, "10-244-0-5.shop.pod.cluster.local.", A, &["10.244.0.5"]);
    assert_records(&zone, "fd00--5.shop.pod.cluster.local.", AAAA, &["fd00::5"]);
    assert_unknown(&zone, "10-244-0-5.default.pod.cluster.local.", "cluster.local.");
    assert_unknown(&zone, "10-244-0-6.shop.pod.cluster.local.", "cluster.local.");
}

#[test]
fn objects_that_are_not_complete_yet_give_nothing() {
    let zone = zone_of(
        &[
            service("shop", "new", json!({"ports": [{"name": "http", "port": 80}]})),
            json!({"metadata": {"name": "bare", "namespace": "shop"}}),
            service("shop", "nameless", json!({"type": "ExternalName"})),
        ],
        &[json!({"metadata": {"name": "stray", "namespace": "shop"}})],
        &[json!({"metadata": {"name": "bare", "namespace": "shop"}})],
    );
    assert_unknown(&zone, "bare.shop.svc.cluster.local.", "cluster.local.");
    assert_unknown(&zone, "nameless.shop.svc.cluster.local.", "cluster.local.");
    assert_unknown(&zone, "stray.shop.svc.cluster.local.", "cluster.local.");
}
