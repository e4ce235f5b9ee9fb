#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures::future::join_all;
use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::proto::op::MessageType;
use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;
use towline_wire::FailureKind;

use super::Names;

/// A name server with a cluster's names: `catalogue` is a service with an IPv4 address only, `outside` is an alias.
async fn cluster_dns() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut bytes = [0; 1500];
        loop {
            let (length, from) = socket.recv_from(&mut bytes).await.unwrap();
            let request = Message::from_vec(&bytes[..length]).unwrap();
            let answer = answer(&request).to_vec().unwrap();
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    address
}

fn answer(request: &Message) -> Message {
    let query = request.queries[0].clone();
    let mut answer = Message::new(request.metadata.id, MessageType::Response, OpCode::Query);
    answer.add_query(query.clone());
    let a = |name: Name| Record::from_rdata(name, 5, RData::A(A(Ipv4Addr::new(10, 96, 1, 2))));
    let name = query.name().to_lowercase();
    match (name.to_string().as_str(), query.query_type()) {
        ("catalogue.shop.svc.cluster.local.", RecordType::A)
        | ("api.example.com.", RecordType::A) => {
            answer.add_answer(a(query.name().clone()));
        }
        ("outside.shop.svc.cluster.local.", RecordType::A) => {
            let target: Name = "api.example.com.".parse().unwrap();
            let alias = RData::CNAME(CNAME(target.clone()));
            answer.add_answer(Record::from_rdata(query.name().clone(), 5, alias));
            answer.add_answer(a(target));
        }
        // Known, but of no such type.
        ("catalogue.shop.svc.cluster.local." | "outside.shop.svc.cluster.local.", _)
        | ("api.example.com.", _) => {}
        _ => answer.metadata.response_code = ResponseCode::NXDomain,
    }
    answer
}

/// As the kubelet writes /etc/resolv.conf for a pod of namespace shop.
fn pods_view(server: SocketAddr) -> Names {
    let mut name_server = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut name_server.connections {
        connection.port = server.port();
    }
    let search = ["shop.svc.cluster.local.", "svc.cluster.local.", "cluster.local."];
    let search = search.map(|name| name.parse().unwrap()).to_vec();
    let config = ResolverConfig::from_parts(None, search, vec![name_server]);
    let mut options = ResolverOpts::default();
    options.ndots = 5;
    options.timeout = Duration::from_secs(1);
    Names::build(config, options)
}

#[tokio::test]
async fn the_search_list_is_the_pods() {
    let names = pods_view(cluster_dns().await);
    assert_eq!(
        names.search_list(),
        ["shop.svc.cluster.local.", "svc.cluster.local.", "cluster.local."]
    );
}

#[tokio::test]
async fn a_service_is_found_by_each_of_its_names() {
    let names = pods_view(cluster_dns().await);
    for name in [
        "catalogue",
        "catalogue.shop",
        "catalogue.shop.svc",
        "catalogue.shop.svc.cluster.local",
        "catalogue.shop.svc.cluster.local.",
        "Catalogue",
        "outside",
        "api.example.com",
    ] {
        let addresses = names.addresses(name).await;
        assert_eq!(addresses.unwrap(), [Ipv4Addr::new(10, 96, 1, 2)], "{name}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_apart_from_a_server_that_does_not_answer() {
    let names = pods_view(cluster_dns().await);
    assert_eq!(names.addresses("nobody").await.unwrap_err().kind, FailureKind::NotFound);
    // Bound, and mute.
    let mute = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let limit = Duration::from_millis(300);
    let names = Names { limit, ..pods_view(mute.local_addr().unwrap()) };
    let failure = names.addresses("catalogue").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::TimedOut, "{failure}");
}

#[tokio::test]
async fn addresses_need_no_server() {
    let names = pods_view("127.0.0.1:1".parse().unwrap());
    for (text, address) in [("10.0.0.1", "10.0.0.1"), ("::1", "::1"), ("[fd00::2]", "fd00::2")] {
        let expected: std::net::IpAddr = address.parse().unwrap();
        assert_eq!(names.addresses(text).await.unwrap(), [expected]);
    }
}

#[tokio::test]
async fn five_hundred_look_ups_at_once_are_all_answered() {
    let names = pods_view(cluster_dns().await);
    let all = join_all((0..500).map(|_| names.addresses("catalogue"))).await;
    let failed: Vec<_> = all.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{} failed, the first: {}", failed.len(), failed[0]);
}
