//! A real agent on loopback, and a client made of the wire crate.
#![allow(clippy::unwrap_used)]

mod client;
mod datagrams;

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use towline_agent::serve::{Agent, Settings};
use towline_wire::chunk::{self, Kind};
use towline_wire::control::Message;
use towline_wire::handshake::{self, HandshakeError, Hello, Refusal, ResumePosition};
use towline_wire::header::Variable;
use towline_wire::{
    Failure, FailureKind, Protocol, Resolved, SessionId, SessionKey, ToAgent, frame,
};

use client::{Running, settings, start};

async fn assert_reset(tcp: &mut TcpStream) {
    let error = tcp.read(&mut [0; 16]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

fn listening(port: u16) -> Message {
    Message::Listening { port, protocol: Protocol::Tcp }
}

fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

#[tokio::test]
async fn a_connection_to_the_container_reaches_the_local_program() {
    let agent = start();
    let mut client = agent.connect().await;
    assert_eq!(client.told().await, listening(agent.port));
    let mut caller = agent.caller().await;
    let mut program = client.joined().await;
    caller.write_all(b"GET").await.unwrap();
    let mut bytes = [0; 3];
    program.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"GET");
    program.write_all(&bytes).await.unwrap();
    caller.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"GET");
}

#[tokio::test]
async fn the_server_may_speak_first_and_each_half_closes_for_itself() {
    let agent = start();
    let mut client = agent.connect().await;
    let mut caller = agent.caller().await;
    let mut program = client.joined().await;
    program.write_all(b"220 hello").await.unwrap();
    let mut bytes = [0; 9];
    caller.read_exact(&mut bytes).await.unwrap();
    caller.write_all(b"QUIT").await.unwrap();
    caller.shutdown().await.unwrap();
    let mut text = String::new();
    program.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "QUIT");
    program.write_all(b"bye").await.unwrap();
    drop(program);
    text.clear();
    caller.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "bye");
}

#[tokio::test]
async fn ten_megabytes_arrive_equal_both_ways_at_once() {
    const LENGTH: usize = 10 * 1024 * 1024;
    let agent = start();
    let mut client = agent.connect().await;
    let caller = agent.caller().await;
    let program = client.joined().await;
    let exchange = |tcp: TcpStream, seed: u32| async move {
        let (mut reader, mut writer) = tcp.into_split();
        let sent = noise(seed, LENGTH);
        let hash = Sha256::digest(&sent);
        let write = async move {
            writer.write_all(&sent).await.unwrap();
            writer.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        let read = async {
            reader.read_to_end(&mut received).await.unwrap();
        };
        tokio::join!(write, read);
        (hash, Sha256::digest(&received))
    };
    let (one, two) =
        tokio::join!(tokio::spawn(exchange(caller, 1)), tokio::spawn(exchange(program, 2)));
    let ((sent_in, received_out), (sent_out, received_in)) = (one.unwrap(), two.unwrap());
    assert_eq!(sent_in, received_in);
    assert_eq!(sent_out, received_out);
}

#[tokio::test]
async fn a_reset_travels_both_ways() {
    let agent = start();
    let mut client = agent.connect().await;
    for caller_resets in [true, false] {
        let caller = agent.caller().await;
        let program = client.joined().await;
        let (gone, mut left) = if caller_resets { (caller, program) } else { (program, caller) };
        gone.set_zero_linger().unwrap();
        drop(gone);
        assert_reset(&mut left).await;
    }
}

#[tokio::test]
async fn nothing_on_the_local_port_resets_the_caller_at_once() {
    let agent = start();
    let mut client = agent.connect().await;
    let mut caller = agent.caller().await;
    let (port, mut stream) = client.incoming().await;
    assert_eq!(port, agent.port);
    let failure = Failure { kind: FailureKind::Refused, message: "nobody there".into() };
    chunk::write_failure(&mut stream, &failure).await.unwrap();
    assert_reset(&mut caller).await;
}

#[tokio::test]
async fn the_agent_dials_by_name_and_by_address() {
    let agent = start();
    let client = agent.connect().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost"] {
        let mut near = client.dial(host, port).await;
        let (mut far, _) = listener.accept().await.unwrap();
        far.write_all(b"220").await.unwrap();
        far.shutdown().await.unwrap();
        let mut text = String::new();
        near.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "220", "{host}");
    }
}

#[tokio::test]
async fn a_refused_dial_says_so_and_why() {
    let agent = start();
    let client = agent.connect().await;
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut stream = client.ask(ToAgent::Dial { host: "127.0.0.1".into(), port }).await;
    let (kind, length) = chunk::read_header(&mut stream).await.unwrap();
    assert_eq!(kind, Kind::Failed);
    let failure = chunk::read_failure(&mut stream, length).await.unwrap();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.message.contains(&format!("127.0.0.1:{port}")), "{failure}");
}

#[tokio::test]
async fn questions_are_answered() {
    let agent = start();
    let client = agent.connect().await;
    let mut stream = client.ask(ToAgent::Environment).await;
    let environment: Vec<Variable> = frame::read(&mut stream).await.unwrap();
    assert_eq!(environment, settings(&agent.session, &agent.key).environment);
    let mut stream = client.ask(ToAgent::Resolve { name: "localhost".into() }).await;
    let Resolved::Addresses(addresses) = frame::read(&mut stream).await.unwrap() else {
        panic!("localhost is in /etc/hosts");
    };
    assert_eq!(addresses[0].to_string(), "127.0.0.1");
}

#[tokio::test]
async fn the_wrong_key_is_refused_by_its_reason_and_disturbs_nobody() {
    let agent = start();
    let mut client = agent.connect().await;
    let mut tcp = TcpStream::connect(("127.0.0.1", agent.control)).await.unwrap();
    let hello = Hello { key: SessionKey::generate(), ..agent.hello() };
    let error = handshake::greet(&mut tcp, &hello).await.unwrap_err();
    assert!(matches!(error, HandshakeError::Refused { reason: Refusal::Key, .. }), "{error}");
    let mut caller = agent.caller().await;
    let mut program = client.joined().await;
    program.write_all(b"!").await.unwrap();
    caller.read_exact(&mut [0]).await.unwrap();
}

#[tokio::test]
async fn at_most_sixteen_strangers_wait_at_once() {
    let agent = start();
    let mut strangers = Vec::new();
    for _ in 0..16 {
        strangers.push(TcpStream::connect(("127.0.0.1", agent.control)).await.unwrap());
    }
    // The queue of the kernel is in order, so the sixteen have been taken when this one is.
    let mut one_more = TcpStream::connect(("127.0.0.1", agent.control)).await.unwrap();
    assert_eq!(one_more.read(&mut [0]).await.unwrap(), 0);
    drop(strangers);
    // Their places come free as the agent notices; until then a client is closed and comes again.
    let mut tcp;
    loop {
        tcp = TcpStream::connect(("127.0.0.1", agent.control)).await.unwrap();
        if handshake::greet(&mut tcp, &agent.hello()).await.is_ok() {
            break;
        }
    }
}

#[tokio::test]
async fn the_newest_client_wins() {
    let agent = start();
    let mut old = agent.connect().await;
    let mut caller = agent.caller().await;
    let mut program = old.joined().await;
    program.write_all(b"!").await.unwrap();
    caller.read_exact(&mut [0]).await.unwrap();
    let mut new = agent.connect().await;
    old.driver.await.unwrap();
    assert_reset(&mut caller).await;
    let mut caller = agent.caller().await;
    let mut program = new.joined().await;
    program.write_all(b"!").await.unwrap();
    caller.read_exact(&mut [0]).await.unwrap();
}

#[tokio::test]
async fn connections_wait_for_a_client() {
    let agent = start();
    let mut caller = agent.caller().await;
    caller.write_all(b"early").await.unwrap();
    let mut client = agent.connect().await;
    let mut program = client.joined().await;
    let mut bytes = [0; 5];
    program.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"early");
}

#[tokio::test]
async fn connections_are_reset_when_no_client_comes() {
    let agent = start();
    let begun = Instant::now();
    let mut caller = agent.caller().await;
    timeout(Duration::from_secs(20), assert_reset(&mut caller)).await.unwrap();
    let waited = begun.elapsed();
    assert!(waited > Duration::from_secs(9) && waited < Duration::from_secs(13), "{waited:?}");
}

#[tokio::test]
async fn connections_are_reset_when_the_client_is_lost() {
    let agent = start();
    let mut client = agent.connect_as_before().await;
    let mut caller = agent.caller().await;
    let mut program = client.joined().await;
    program.write_all(b"!").await.unwrap();
    caller.read_exact(&mut [0]).await.unwrap();
    client.driver.abort();
    assert_reset(&mut caller).await;
}

#[tokio::test]
async fn connections_are_reset_when_the_client_says_that_it_leaves() {
    let agent = start();
    let mut client = agent.connect().await;
    let mut caller = agent.caller().await;
    let mut program = client.joined().await;
    program.write_all(b"!").await.unwrap();
    caller.read_exact(&mut [0]).await.unwrap();
    client.pipe.take().unwrap().close().await;
    assert_reset(&mut caller).await;
}

#[tokio::test]
async fn open_connections_survive_the_loss_of_the_tunnels_connection() {
    let agent = start();
    let mut client = agent.connect().await;
    let mut caller = agent.caller().await;
    let mut program = client.joined().await;
    let bytes = noise(7, 3_000_000);
    let sending = {
        let bytes = bytes.clone();
        tokio::spawn(async move { caller.write_all(&bytes).await.map(|()| caller) })
    };
    let mut first = vec![0; 1_000_000];
    program.read_exact(&mut first).await.unwrap();

    let pipe = client.pipe.clone().unwrap();
    for _ in 0..3 {
        let position = pipe.detach().unwrap();
        let hello = Hello { resume: Some(position), ..agent.hello() };
        let (tcp, accepted) = agent.greeted(&hello).await;
        let agents = accepted.resume.unwrap();
        assert_eq!(agents.pipe, position.pipe, "it goes on");
        pipe.resume(tcp, agents.received).unwrap();
        program.read_exact(&mut [0]).await.unwrap();
    }
    let mut rest = vec![0; 2_000_000 - 3];
    program.read_exact(&mut rest).await.unwrap();
    assert!(first == bytes[..1_000_000] && rest == bytes[1_000_003..], "not what was sent");
    let mut caller = sending.await.unwrap().unwrap();
    program.write_all(b"?").await.unwrap();
    caller.read_exact(&mut [0]).await.unwrap();
}

#[tokio::test]
async fn a_pipe_that_the_agent_does_not_know_begins_anew() {
    let agent = start();
    let _client = agent.connect().await;
    let unknown = ResumePosition { pipe: 1, received: 70 };
    let hello = Hello { resume: Some(unknown), ..agent.hello() };
    let (_tcp, accepted) = agent.greeted(&hello).await;
    let position = accepted.resume.unwrap();
    assert!(position.pipe != unknown.pipe && position.received == 0, "{position:?}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_and_the_others_work() {
    let taken = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let taken_port = taken.local_addr().unwrap().port();
    let (session, key) = (SessionId::generate(), SessionKey::generate());
    let taken_udp = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    let udp_port = taken_udp.local_addr().unwrap().port();
    let settings = Settings {
        ports: vec![taken_port, 0],
        udp_ports: vec![udp_port],
        ..settings(&session, &key)
    };
    let agent = Agent::bind(settings).unwrap();
    assert!(agent.udp_ports().is_empty());
    let (control, port) = (agent.control_address().unwrap().port(), agent.ports()[0]);
    let (end, ended) = oneshot::channel::<()>();
    let handle = tokio::spawn(agent.run(async { drop(ended.await) }));
    let agent = Running { session, key, control, port, udp_port, end, agent: handle };
    let mut client = agent.connect().await;
    assert_eq!(client.told().await, listening(port));
    for (taken, spoken) in [(taken_port, Protocol::Tcp), (udp_port, Protocol::Udp)] {
        let Message::NotListening { port, protocol, reason } = client.told().await else {
            panic!("the taken port is told");
        };
        assert_eq!((port, protocol), (taken, spoken));
        assert!(reason.contains("in use"), "{reason}");
    }
    let mut caller = agent.caller().await;
    let mut program = client.joined().await;
    program.write_all(b"!").await.unwrap();
    caller.read_exact(&mut [0]).await.unwrap();
}

#[tokio::test]
async fn the_end_is_told_and_comes_soon() {
    let agent = start();
    let mut client = agent.connect().await;
    assert_eq!(client.told().await, listening(agent.port));
    client.told().await;
    let begun = Instant::now();
    agent.end.send(()).unwrap();
    assert_eq!(client.told().await, Message::Ending);
    agent.agent.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn the_end_resets_what_is_open_and_what_waits() {
    let agent = start();
    let mut client = agent.connect().await;
    let mut open = agent.caller().await;
    let mut program = client.joined().await;
    program.write_all(b"!").await.unwrap();
    open.read_exact(&mut [0]).await.unwrap();
    agent.end.send(()).unwrap();
    assert_reset(&mut open).await;
    assert_reset(&mut program).await;

    let agent = start();
    let mut waiting = agent.caller().await;
    agent.end.send(()).unwrap();
    agent.agent.await.unwrap();
    assert_reset(&mut waiting).await;
}

#[tokio::test]
async fn five_hundred_connections_at_once() {
    let agent = start();
    let mut client = agent.connect().await;
    let mut callers = Vec::new();
    for number in 0..500_u32 {
        let mut caller = agent.caller().await;
        caller.write_all(&number.to_be_bytes()).await.unwrap();
        callers.push(caller);
    }
    for _ in 0..500 {
        let mut program = client.joined().await;
        tokio::spawn(async move {
            let number = program.read_u32().await.unwrap();
            program.write_u32(number + 1).await.unwrap();
        });
    }
    for (number, caller) in (0_u32..).zip(&mut callers) {
        assert_eq!(caller.read_u32().await.unwrap(), number + 1);
    }
}
