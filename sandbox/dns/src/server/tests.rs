//! Real packets over loopback.
#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hickory_proto::{
    op::{Edns, Message, OpCode, Query, ResponseCode},
    rr::{DNSClass, Name, RecordType},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::watch::Sender,
    time::timeout,
};

use super::{Resolver, Server, start};
use crate::zone::{Objects, Zone};

struct Fixture {
    udp: SocketAddr,
    tcp: SocketAddr,
    zone: Sender<Zone>,
    _server: Server<Resolver>,
}

impl Fixture {
    async fn start(zone: Zone) -> Self {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (udp_address, tcp_address) = (udp.local_addr().unwrap(), tcp.local_addr().unwrap());
        let (sender, receiver) = tokio::sync::watch::channel(zone);
        Self {
            udp: udp_address,
            tcp: tcp_address,
            zone: sender,
            _server: start(udp, tcp, receiver),
        }
    }

    async fn ask_udp(&self, message: &Message) -> Message {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(self.udp).await.unwrap();
        socket.send(&message.to_vec().unwrap()).await.unwrap();
        let mut buffer = vec![0; 65536];
        let length =
            timeout(Duration::from_secs(5), socket.recv(&mut buffer)).await.unwrap().unwrap();
        Message::from_vec(&buffer[..length]).unwrap()
    }

    async fn ask_tcp(&self, stream: &mut TcpStream, message: &Message) -> Message {
        let message = message.to_vec().unwrap();
        stream.write_u16(u16::try_from(message.len()).unwrap()).await.unwrap();
        stream.write_all(&message).await.unwrap();
        let length = timeout(Duration::from_secs(5), stream.read_u16()).await.unwrap().unwrap();
        let mut buffer = vec![0; usize::from(length)];
        stream.read_exact(&mut buffer).await.unwrap();
        Message::from_vec(&buffer).unwrap()
    }
}

/// A headless service of `count` endpoints.
fn zone(count: u8) -> Zone {
    let service =
        json!({"metadata": {"name": "many", "namespace": "shop"}, "spec": {"clusterIP": "None"}});
    let addresses: Vec<_> = (1..=count).map(|n| json!({"ip": format!("10.244.0.{n}")})).collect();
    let endpoints = json!({"metadata": {"name": "many", "namespace": "shop"}, "subsets": [{"addresses": addresses}]});
    let objects = Objects {
        services: vec![Arc::new(serde_json::from_value(service).unwrap())],
        endpoints: vec![Arc::new(serde_json::from_value(endpoints).unwrap())],
        pods: Vec::new(),
    };
    Zone::build(&"cluster.local.".parse().unwrap(), 1, &objects)
}

fn question(name: &str) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name.parse::<Name>().unwrap(), RecordType::A));
    message
}

const MANY: &str = "many.shop.svc.cluster.local.";

#[tokio::test]
async fn answers_over_udp_and_over_one_tcp_connection() {
    let fixture = Fixture::start(zone(2)).await;
    let question = question(MANY);
    let answer = fixture.ask_udp(&question).await;
    assert_eq!(answer.metadata.id, question.metadata.id);
    assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
    assert!(
        answer.metadata.authoritative
            && answer.metadata.recursion_desired
            && !answer.metadata.truncation
    );
    assert_eq!(answer.queries, question.queries);
    assert_eq!(answer.answers.len(), 2);
    assert!(answer.edns.is_none(), "who sent none gets none");

    let mut stream = TcpStream::connect(fixture.tcp).await.unwrap();
    for _ in 0..3 {
        assert_eq!(fixture.ask_tcp(&mut stream, &question).await.answers.len(), 2);
    }
}

#[tokio::test]
async fn every_endpoint_comes_first_in_its_turn() {
    let fixture = Fixture::start(zone(3)).await;
    let mut first = Vec::new();
    for _ in 0..3 {
        first.push(fixture.ask_udp(&question(MANY)).await.answers[0].data.to_string());
    }
    first.sort();
    assert_eq!(first, ["10.244.0.1", "10.244.0.2", "10.244.0.3"]);
}

#[tokio::test]
async fn a_long_answer_is_cut_over_udp_and_whole_over_tcp() {
    let fixture = Fixture::start(zone(200)).await;
    let plain = fixture.ask_udp(&question(MANY)).await;
    assert!(plain.metadata.truncation);
    assert!(plain.to_vec().unwrap().len() <= 512);

    let mut extended = question(MANY);
    let mut edns = Edns::new();
    edns.set_max_payload(4096);
    extended.set_edns(edns);
    let cut = fixture.ask_udp(&extended).await;
    assert!(cut.metadata.truncation && cut.answers.len() > plain.answers.len());
    assert!(cut.edns.is_some());

    let mut stream = TcpStream::connect(fixture.tcp).await.unwrap();
    let whole = fixture.ask_tcp(&mut stream, &question(MANY)).await;
    assert!(!whole.metadata.truncation);
    assert_eq!(whole.answers.len(), 200);
}

#[tokio::test]
async fn the_newest_zone_answers() {
    let fixture = Fixture::start(zone(0)).await;
    let before = fixture.ask_udp(&question(MANY)).await;
    assert_eq!(before.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(before.authorities[0].record_type(), RecordType::SOA);
    fixture.zone.send_replace(zone(1));
    assert_eq!(fixture.ask_udp(&question(MANY)).await.answers.len(), 1);
}

#[tokio::test]
async fn what_is_no_question_about_names_is_refused_and_not_ignored() {
    let fixture = Fixture::start(zone(1)).await;

    let mut notify = question(MANY);
    notify.metadata.op_code = OpCode::Notify;
    assert_eq!(fixture.ask_udp(&notify).await.metadata.response_code, ResponseCode::NotImp);

    let mut chaos = question("version.bind.");
    chaos.queries[0].set_query_class(DNSClass::CH);
    assert_eq!(fixture.ask_udp(&chaos).await.metadata.response_code, ResponseCode::Refused);

    let mut two = question(MANY);
    two.add_query(Query::query(MANY.parse().unwrap(), RecordType::AAAA));
    assert_eq!(fixture.ask_udp(&two).await.metadata.response_code, ResponseCode::FormErr);

    let mut newer = question(MANY);
    let mut edns = Edns::new();
    edns.set_version(1);
    newer.set_edns(edns);
    // 16 is BADVERS here, and BADSIG where a message is signed: the decoder knows only one of them.
    assert_eq!(u16::from(fixture.ask_udp(&newer).await.metadata.response_code), 16);

    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(b"no DNS", fixture.udp).await.unwrap();
    assert_eq!(
        fixture.ask_udp(&question(MANY)).await.answers.len(),
        1,
        "nonsense does not stop the server"
    );
}
