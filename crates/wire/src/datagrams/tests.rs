use super::*;
use crate::carry::Traffic;
use crate::chunk::{Failure, FailureKind};
use crate::mux::{MuxStream, Side, multiplex};

async fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

/// The client's end of a stream and the agent's; both tunnels live on with their tasks.
async fn stream_pair() -> (MuxStream, MuxStream) {
    let (a, b) = tokio::io::duplex(256 * 1024);
    let (open, _keep, client) = multiplex(a, Side::Client);
    let (_keep_too, mut accept, agent) = multiplex(b, Side::Agent);
    tokio::spawn(client);
    tokio::spawn(agent);
    let mut near = open.open().await.unwrap();
    chunk::write_mark(&mut near, Kind::Ready).await.unwrap();
    let mut far = accept.accept().await.unwrap();
    chunk::read_header(&mut far).await.unwrap();
    tokio::spawn(async move { (open.closed().await, accept.accept().await, _keep, _keep_too) });
    (near, far)
}

async fn received(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut datagram = vec![0; LONGEST];
    let (length, from) = socket.recv_from(&mut datagram).await.unwrap();
    datagram.truncate(length);
    (datagram, from)
}

/// A program, and the socket that a caller sends to, with a tunnel between them for each caller.
async fn through_a_tunnel() -> (UdpSocket, SocketAddr) {
    let (program, front) = (socket().await, socket().await);
    let (to, address) = (program.local_addr().unwrap(), front.local_addr().unwrap());
    tokio::spawn(async move {
        let mut flows = Flows::of(front);
        loop {
            let mut peer = flows.next().await.unwrap();
            let (mut near, mut far) = stream_pair().await;
            tokio::spawn(async move {
                carry_datagrams(&mut peer, &mut near, &Traffic::default(), || ()).await
            });
            tokio::spawn(async move {
                let mut local = Arc::new(socket().await);
                local.connect(to).await.unwrap();
                chunk::write_mark(&mut far, Kind::Ready).await.unwrap();
                carry_datagrams(&mut local, &mut far, &Traffic::default(), || ()).await
            });
        }
    });
    (program, address)
}

#[tokio::test]
async fn datagrams_stay_whole_and_answers_find_their_caller() {
    let (program, front) = through_a_tunnel().await;
    let (one, two) = (socket().await, socket().await);
    for (caller, length) in [(&one, 0), (&two, 1), (&one, LONGEST), (&two, 1_400)] {
        let sent = vec![length as u8; length];
        caller.send_to(&sent, front).await.unwrap();
        let (asked, from) = received(&program).await;
        assert_eq!(asked, sent);
        program.send_to(&[&asked[..length.min(1)], b"answer"].concat(), from).await.unwrap();
        let (answer, from) = received(caller).await;
        assert!(answer.ends_with(b"answer"));
        assert_eq!(from, front, "an answer comes from where the question went");
    }
}

#[tokio::test]
async fn nobody_there_is_told() {
    let (mut near, mut far) = stream_pair().await;
    let mut caller = Arc::new(socket().await);
    // A port that nobody has: its socket is gone.
    let nobody = socket().await.local_addr().unwrap();
    caller.connect(nobody).await.unwrap();
    far.write_all(&[&chunk::header(Kind::Data, 1)[..], b"x"].concat()).await.unwrap();
    far.flush().await.unwrap();
    let ended = carry_datagrams(&mut caller, &mut near, &Traffic::default(), || ()).await;
    let Err(CarryError::NearReset(error)) = ended else { panic!("{ended:?}") };
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    // And the far end can be told.
    let failure = Failure { kind: FailureKind::Refused, message: "nobody".into() };
    chunk::write_failure(&mut near, &failure).await.unwrap();
    let mut other = Arc::new(socket().await);
    let told = carry_datagrams(&mut other, &mut far, &Traffic::default(), || ()).await;
    assert!(matches!(told, Err(CarryError::Failed(told)) if told == failure));
}

#[tokio::test]
async fn a_far_end_that_knows_no_udp_is_told_from_one_that_is_done() {
    for ready in [false, true] {
        let (mut near, mut far) = stream_pair().await;
        if ready {
            chunk::write_mark(&mut far, Kind::Ready).await.unwrap();
        }
        drop(far);
        let ended =
            carry_datagrams(&mut Arc::new(socket().await), &mut near, &Traffic::default(), || ())
                .await;
        assert_eq!(ended.is_ok(), ready, "{ended:?}");
    }
}

#[tokio::test]
async fn a_datagram_that_cannot_be_is_refused() {
    let (mut near, mut far) = stream_pair().await;
    chunk::write_mark(&mut far, Kind::Ready).await.unwrap();
    far.write_all(&chunk::header(Kind::Data, LONGEST + 1)).await.unwrap();
    far.flush().await.unwrap();
    let ended =
        carry_datagrams(&mut Arc::new(socket().await), &mut near, &Traffic::default(), || ()).await;
    assert!(matches!(ended, Err(CarryError::FarReset(_))), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_flow_without_datagrams_is_over() {
    let (mut near, _far) = tokio::io::duplex(64);
    let begin = Instant::now();
    let (_hand_on, received) = mpsc::channel(1);
    let mut peer =
        Peer { socket: Arc::new(socket().await), address: ([127, 0, 0, 1], 9).into(), received };
    carry_datagrams(&mut peer, &mut near, &Traffic::default(), || ()).await.unwrap();
    assert!(begin.elapsed() >= IDLE);
}

#[tokio::test(start_paused = true)]
async fn a_peer_whose_datagrams_go_nowhere_rests() {
    let mut flows = Flows::of(socket().await);
    let from = SocketAddr::from(([127, 0, 0, 1], 9));
    let begin = Instant::now();
    let resting = tokio::spawn(flows.hand_on(from, vec![0]).unwrap().rest());
    for _ in 0..2 * WAITING {
        assert!(flows.hand_on(from, vec![0]).is_none(), "it has begun a flow");
        tokio::task::yield_now().await;
    }
    resting.await.unwrap();
    assert!(begin.elapsed() >= REST);
    assert!(flows.hand_on(from, vec![0]).is_some());
}

#[tokio::test]
async fn what_waits_for_a_slow_tunnel_is_bounded_and_the_quietest_flow_makes_room() {
    let mut flows = Flows::of(socket().await);
    let from = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let mut slow = flows.hand_on(from(1), vec![0]).unwrap();
    for _ in 0..2 * WAITING {
        assert!(flows.hand_on(from(1), vec![0]).is_none());
    }
    let mut waiting = 0;
    while slow.received.try_recv().is_ok() {
        waiting += 1;
    }
    assert_eq!(waiting, WAITING);
    let others: Vec<_> =
        (2..=MOST_FLOWS as u16).map(|port| flows.hand_on(from(port), vec![0]).unwrap()).collect();
    assert!(flows.hand_on(from(1), vec![1]).is_none(), "heard again: not the quietest");
    let _one_more = flows.hand_on(from(9_999), vec![0]).unwrap();
    assert_eq!(flows.known.len(), MOST_FLOWS);
    assert!(!flows.known.contains_key(&from(2)));
    // Those that are over go first.
    drop(others);
    let _another = flows.hand_on(from(9_998), vec![0]).unwrap();
    assert_eq!(flows.known.len(), 3);
}
