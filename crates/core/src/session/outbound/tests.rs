#![allow(clippy::unwrap_used)]

use futures::StreamExt;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use towline_wire::SessionId;
use towline_workload::{Kind, WorkloadRef};

use super::*;
use crate::names::HostsPlan;
use crate::request::Names;
use crate::session::board::Board;
use crate::session::chronicle::{Chronicle, events};

/// Nothing here asks the API server.
fn client() -> kube::Client {
    let config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
    kube::Client::try_from(config).unwrap()
}

fn outbound() -> (Outbound, Arc<Chronicle>) {
    let workload =
        WorkloadRef { kind: Kind::Deployment, namespace: "shop".into(), name: "orders".into() };
    let chronicle = Arc::new(Chronicle::new(SessionId::generate(), workload));
    let dialer = Dialer::new(client(), Arc::new(Board::new()), chronicle.clone());
    (Outbound::new(Arc::new(dialer), Ground::Ports), chronicle)
}

fn wanted(service: &str, ip: &str) -> Wanted {
    let place =
        Place { subject: Subject::service("shop", service), port: 80, protocol: Protocol::Tcp };
    Wanted { place, name: None, route: Route::Address { ip: ip.parse().unwrap(), port: 80 } }
}

#[tokio::test]
async fn a_service_that_comes_back_has_its_port_again() {
    let (outbound, chronicle) = outbound();
    outbound.sync("shop", vec![wanted("a", "10.0.0.1"), wanted("b", "10.0.0.2")]).await;
    let before = chronicle.snapshot().listeners;
    assert_eq!(before.len(), 2);
    outbound.sync("other", vec![]).await;
    outbound.sync("shop", vec![wanted("b", "10.0.0.2")]).await;
    assert_eq!(chronicle.snapshot().listeners.len(), 1);
    outbound.sync("shop", vec![wanted("a", "10.0.0.9"), wanted("b", "10.0.0.2")]).await;
    assert_eq!(chronicle.snapshot().listeners, before);
    let told = chronicle.snapshot().seq;
    outbound.sync("shop", vec![wanted("a", "10.0.0.9"), wanted("b", "10.0.0.3")]).await;
    assert_eq!(chronicle.snapshot().seq, told, "another address is nobody's event");
}

#[tokio::test(start_paused = true)]
async fn without_a_tunnel_a_connection_waits_and_is_then_reset_and_told_of_once() {
    let (outbound, chronicle) = outbound();
    outbound.sync("shop", vec![wanted("a", "10.0.0.1")]).await;
    let local = chronicle.snapshot().listeners[0].local;
    for _ in 0..2 {
        let mut tcp = TcpStream::connect(local).await.unwrap();
        let error = tcp.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
    let snapshot = chronicle.snapshot();
    let seq = usize::try_from(snapshot.seq).unwrap();
    let events: Vec<_> = events(chronicle, 1).take(seq).collect().await;
    let told = events.iter().filter(|event| matches!(event.what, What::DialFailed { .. })).count();
    assert!((1..=2).contains(&told), "{events:?}");
    assert_eq!((snapshot.outbound_open, snapshot.connections), (0, 2));
}

#[tokio::test]
async fn without_rights_a_port_that_cannot_be_had_is_another_one_of_the_services_address() {
    let everywhere = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let taken = everywhere.local_addr().unwrap().port();
    let subject = Subject::service("shop", "late");
    let place = Place { subject, port: taken, protocol: Protocol::Tcp };
    let plan = HostsPlan::default();
    let own = Ground::of(Some(&plan), Names::OwnHostsFile);
    let (listeners, local) = own.listen(&place, 0).await.unwrap();
    assert_eq!(listeners.len(), 1);
    assert!(local.ip().to_string().starts_with("127.77.") && local.port() != taken, "{local}");
    drop(listeners);
    let (_listeners, again) = own.listen(&place, local.port()).await.unwrap();
    assert_eq!(again, local, "a program has it in its environment");
    // With rights somebody has to be told: the name would lead nowhere.
    let machines = Ground::of(Some(&plan), Names::HostsFile);
    let error = machines.listen(&place, 0).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_listener_is_on_both_loopbacks_where_there_are_two() {
    let (listeners, local) = bind(0).unwrap();
    assert!(local.ip().is_loopback() && local.is_ipv4());
    assert!(listeners.iter().all(|listener| listener.local_addr().unwrap().port() == local.port()));
}
