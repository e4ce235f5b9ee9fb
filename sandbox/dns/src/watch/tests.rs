//! A stand-in for the API server on loopback: one service, and a watch that says what the test says.
#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, pin::pin, time::Duration};

use futures::StreamExt;
use hickory_proto::{
    op::ResponseCode,
    rr::{Name, RecordType},
};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use super::zones;
use crate::zone::Zone;

const LIMIT: Duration = Duration::from_secs(10);

fn service(name: &str, address: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "spec": {"clusterIP": address},
           "metadata": {"name": name, "namespace": "shop", "resourceVersion": "2", "uid": name}})
}

/// Answers lists and watches; the watch of services tells all `changes`, also those from before it.
async fn serve(listener: TcpListener, changes: watch::Receiver<Vec<Value>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, changes.clone()));
    }
}

async fn answer(
    stream: TcpStream,
    mut changes: watch::Receiver<Vec<Value>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    stream.read_line(&mut request).await?;
    let mut header = String::new();
    while stream.read_line(&mut header).await? > 2 {
        header.clear();
    }
    let services = request.contains("/services?");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    if !request.contains("watch=true") {
        let items = if services { vec![service("first", "10.96.0.1")] } else { Vec::new() };
        let list = json!({"metadata": {"resourceVersion": "1"}, "items": items});
        stream.write_all(list.to_string().as_bytes()).await?;
        return stream.shutdown().await;
    }
    let mut sent = 0;
    loop {
        let news = changes.borrow_and_update()[sent..].to_vec();
        sent += news.len();
        for change in news.iter().filter(|_| services) {
            stream.write_all(format!("{change}\n").as_bytes()).await?;
        }
        if changes.changed().await.is_err() {
            return Ok(());
        }
    }
}

fn client(address: SocketAddr) -> Client {
    Client::try_from(Config::new(format!("http://{address}").parse().unwrap())).unwrap()
}

fn knows(zone: &Zone, name: &str) -> bool {
    let name: Name = format!("{name}.shop.svc.cluster.local.").parse().unwrap();
    zone.answer(&name.into(), RecordType::A).code == ResponseCode::NoError
}

#[tokio::test]
async fn waits_for_the_api_server_and_follows_its_changes() {
    let address = {
        // Taken and given back: nobody listens there at first.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let mut zones = pin!(zones(client(address), "cluster.local.".parse().unwrap()));
    assert!(
        timeout(Duration::from_millis(600), zones.next()).await.is_err(),
        "there is no zone without an API server"
    );

    let (changes, receiver) = watch::channel(Vec::new());
    tokio::spawn(serve(TcpListener::bind(address).await.unwrap(), receiver));
    let zone = timeout(LIMIT, zones.next()).await.unwrap().unwrap();
    assert!(knows(&zone, "first") && !knows(&zone, "second"));

    changes.send_replace(vec![
        json!({"type": "ADDED", "object": service("second", "10.96.0.2")}),
        json!({"type": "DELETED", "object": service("first", "10.96.0.1")}),
    ]);
    let followed = async {
        loop {
            let zone = zones.next().await.unwrap();
            if knows(&zone, "second") && !knows(&zone, "first") {
                return;
            }
        }
    };
    timeout(LIMIT, followed).await.unwrap();
}
