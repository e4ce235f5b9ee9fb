//! UDP through the agent.

use std::sync::Arc;

use tokio::net::UdpSocket;
use towline_wire::chunk::{self, Kind};
use towline_wire::control::Message;
use towline_wire::{CarryError, FailureKind, Protocol, ToAgent, Traffic, carry_datagrams};

use crate::client::start;

async fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

async fn connected(port: u16) -> Arc<UdpSocket> {
    let socket = socket().await;
    socket.connect(("127.0.0.1", port)).await.unwrap();
    Arc::new(socket)
}

#[tokio::test]
async fn a_datagram_to_the_container_reaches_the_local_program() {
    let agent = start();
    let mut client = agent.connect().await;
    client.told().await;
    let udp = Message::Listening { port: agent.udp_port, protocol: Protocol::Udp };
    assert_eq!(client.told().await, udp);
    let (caller, program) = (connected(agent.udp_port).await, socket().await);
    caller.send(b"hits:1|c").await.unwrap();
    let (port, mut stream) = client.incoming_udp().await;
    assert_eq!(port, agent.udp_port);
    let mut local = connected(program.local_addr().unwrap().port()).await;
    tokio::spawn(async move {
        chunk::write_mark(&mut stream, Kind::Ready).await.unwrap();
        carry_datagrams(&mut local, &mut stream, &Traffic::default(), || ()).await
    });
    for expected in [&b"hits:1|c"[..], b"hits:2|c"] {
        let mut bytes = [0; 16];
        let (length, from) = program.recv_from(&mut bytes).await.unwrap();
        assert_eq!(&bytes[..length], expected);
        program.send_to(b"ok", from).await.unwrap();
        let length = caller.recv(&mut bytes).await.unwrap();
        assert_eq!(&bytes[..length], b"ok");
        caller.send(b"hits:2|c").await.unwrap();
    }
}

#[tokio::test]
async fn datagrams_that_come_while_there_is_no_client_are_kept_for_one() {
    let agent = start();
    let caller = connected(agent.udp_port).await;
    caller.send(b"early").await.unwrap();
    let mut client = agent.connect().await;
    let (_, mut stream) = client.incoming_udp().await;
    let (kind, length) = chunk::read_header(&mut stream).await.unwrap();
    assert_eq!((kind, length), (Kind::Data, 5));
}

#[tokio::test]
async fn datagrams_go_out_from_the_pod_and_nobody_there_is_told() {
    let agent = start();
    let client = agent.connect().await;
    let service = socket().await;
    let port = service.local_addr().unwrap().port();
    let dial = async |port| client.ask(ToAgent::DialUdp { host: "127.0.0.1".into(), port }).await;
    // What the local program has: a socket of its own, connected to where the service is on this machine.
    let (program, here) = (socket().await, socket().await);
    program.connect(here.local_addr().unwrap()).await.unwrap();
    here.connect(program.local_addr().unwrap()).await.unwrap();
    let mut here = Arc::new(here);
    let mut stream = dial(port).await;
    let mut carried = here.clone();
    let carrying = tokio::spawn(async move {
        carry_datagrams(&mut carried, &mut stream, &Traffic::default(), || ()).await
    });
    program.send(b"question").await.unwrap();
    let mut bytes = [0; 16];
    let (length, from) = service.recv_from(&mut bytes).await.unwrap();
    assert_eq!(&bytes[..length], b"question");
    service.send_to(b"answer", from).await.unwrap();
    let length = program.recv(&mut bytes).await.unwrap();
    assert_eq!(&bytes[..length], b"answer");
    carrying.abort();
    let _ = carrying.await;

    drop(service);
    let mut stream = dial(port).await;
    program.send(b"question").await.unwrap();
    let told = carry_datagrams(&mut here, &mut stream, &Traffic::default(), || ()).await;
    let Err(CarryError::Failed(failure)) = told else { panic!("{told:?}") };
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.message.contains(&format!("UDP port {port} of 127.0.0.1")), "{failure}");
}
