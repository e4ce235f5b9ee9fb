#![allow(clippy::unwrap_used)]

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use towline_wire::SessionKey;
use towline_wire::control::SILENCE;
use towline_wire::key::SessionId;

use super::*;

/// The agent's end of a tunnel: enough of it to answer.
struct Agent {
    opener: Opener,
    acceptor: Acceptor,
}

fn accepted() -> Accepted {
    Accepted { version: 1, release: "test".into(), host: "pod".into(), resume: None }
}

async fn tunnel() -> (Tunnel, mpsc::Receiver<TunnelEvent>, Agent) {
    let (client, agent) = tokio::io::duplex(256 * 1024);
    let (opener, acceptor, driver) = multiplex(agent, Side::Agent);
    tokio::spawn(driver);
    let (tunnel, events) = Tunnel::over(client, accepted(), None);
    (tunnel, events, Agent { opener, acceptor })
}

impl Agent {
    /// The next stream that is no control stream; that one is answered aside.
    async fn next(&mut self) -> (ToAgent, MuxStream) {
        loop {
            let mut stream = self.acceptor.accept().await.unwrap();
            match frame::read(&mut stream).await.unwrap() {
                ToAgent::Control => {
                    let (_say, said) = mpsc::channel(1);
                    let (hear, mut heard) = mpsc::channel(8);
                    tokio::spawn(async move { while heard.recv().await.is_some() {} });
                    tokio::spawn(
                        async move { (control::run(stream, said, hear, SILENCE).await, _say) },
                    );
                }
                other => return (other, stream),
            }
        }
    }
}

#[tokio::test]
async fn a_dial_says_where_to_and_carries_bytes() {
    let (tunnel, _events, mut agent) = tunnel().await;
    let mut near = tunnel.streams().dial("orders.shop.svc", 80, Protocol::Tcp).await.unwrap();
    let (asked, mut far) = agent.next().await;
    assert_eq!(asked, ToAgent::Dial { host: "orders.shop.svc".into(), port: 80 });
    near.write_all(b"hello").await.unwrap();
    near.flush().await.unwrap();
    let mut bytes = [0; 5];
    far.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"hello");
}

#[tokio::test]
async fn questions_are_answered() {
    let (tunnel, _events, mut agent) = tunnel().await;
    let variable = Variable { name: b"A".to_vec().into(), value: b"1\n2".to_vec().into() };
    let expected = variable.clone();
    let answering = tokio::spawn(async move {
        let (asked, mut stream) = agent.next().await;
        assert_eq!(asked, ToAgent::Environment);
        frame::write(&mut stream, &[variable]).await.unwrap();
        agent
    });
    assert_eq!(tunnel.streams().environment().await.unwrap(), [expected]);
    drop(answering.await.unwrap());
    assert!(tunnel.streams().closed().await.contains("closed"));
    assert!(matches!(
        tunnel.streams().dial("x", 1, Protocol::Tcp).await,
        Err(AskError::Closed | AskError::Frame(_))
    ));
}

#[tokio::test]
async fn an_incoming_connection_is_told_and_a_stuck_one_holds_up_nobody() {
    let (_tunnel, mut events, agent) = tunnel().await;
    let mut silent = agent.opener.open().await.unwrap();
    silent.write_all(&[0]).await.unwrap();
    let mut stream = agent.opener.open().await.unwrap();
    let peer = "10.0.0.9:4711".parse().unwrap();
    frame::write(&mut stream, &ToClient::Incoming { port: 8080, peer }).await.unwrap();
    match events.recv().await.unwrap() {
        TunnelEvent::Incoming { port: 8080, protocol: Protocol::Tcp, peer: got, .. } => {
            assert_eq!(got, peer)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_agent_ends_the_tunnel() {
    let (tunnel, _events, agent) = tunnel().await;
    let start = tokio::time::Instant::now();
    let reason = tunnel.streams().closed().await;
    assert!(reason.contains("nothing was heard"), "{reason}");
    assert!(tunnel.streams().is_closed() && start.elapsed() >= SILENCE);
    drop(agent);
}

#[tokio::test]
async fn dropping_the_tunnel_resets_its_streams() {
    let (tunnel, _events, mut agent) = tunnel().await;
    let mut near = tunnel.streams().dial("x", 1, Protocol::Tcp).await.unwrap();
    let _far = agent.next().await;
    drop(tunnel);
    let start = Instant::now();
    assert_eq!(near.read(&mut [0]).await.unwrap_or(0), 0);
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// A handshake whose pipe fails as a port-forward does.
#[tokio::test]
async fn what_ends_a_handshake_is_told_apart() {
    let hello = Hello {
        versions: handshake::VERSIONS,
        release: "test".into(),
        session: SessionId::generate(),
        key: SessionKey::generate(),
        resume: None,
    };
    let (mut near, far): (DuplexStream, DuplexStream) = tokio::io::duplex(4096);
    drop(far);
    let error = handshake::greet(&mut near, &hello).await.unwrap_err();
    assert!(kubelet_says(&error).is_some());
    let refused = HandshakeError::Refused {
        reason: Refusal::Key,
        release: "1".into(),
        versions: handshake::VERSIONS,
    };
    assert!(kubelet_says(&refused).is_none());
    let error = TunnelError::Handshake { pod: "p".into(), source: refused };
    assert!(!error.is_forbidden() && error.refusal() == Some(Refusal::Key));
}
