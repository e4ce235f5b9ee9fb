//! Clients that do not keep to the protocol. Each is cut off with the reason, and nobody else notices.

use super::*;
use crate::client::HelperError;
use crate::protocol::{Answer, Call, PROTOCOL, RefusalCode, Request};
use crate::server::limits;

#[tokio::test]
async fn another_version_is_told_apart_before_anything_else() {
    let stage = Stage::start(BEFORE).await;
    let mut raw = stage.raw().await;
    // What a later version may add is passed over.
    raw.send(
        &frame::encode(&serde_json::json!({
            "protocol": PROTOCOL + 1, "release": "9.9.9", "more": ["things"]
        }))
        .unwrap(),
    )
    .await;
    assert_eq!(raw.next::<Greeting>().await, Some(Greeting::Welcome(Hello::own())));
    assert_eq!(raw.next::<Reply>().await, None);
    // And the other way round: a helper of another version.
    let old = Stage::new(BEFORE);
    fs::create_dir_all(old.setup.place.directory()).unwrap();
    let listener = tokio::net::UnixListener::bind(old.setup.place.socket()).unwrap();
    let answer = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let theirs = Hello { protocol: PROTOCOL + 1, release: "9.9.9".to_owned() };
        let greeting = frame::encode(&Greeting::Welcome(theirs)).unwrap();
        stream.write_all(&greeting).await.unwrap();
        stream
    };
    let (connected, _stream) = tokio::join!(Helper::connect_at(&old.setup.place), answer);
    let error = connected.unwrap_err();
    assert!(matches!(error, HelperError::OtherVersion { .. }), "{error}");
    assert!(error.to_string().contains("Towline 9.9.9"), "{error}");
    assert!(error.hint().unwrap().contains("end the other Towline"));
}

#[tokio::test]
async fn somebody_elses_socket_is_not_spoken_to() {
    let stage = Stage::start(BEFORE).await;
    drop(stage.client().await);
    let mut place = stage.setup.place.clone();
    place.helper_uid += 1;
    let error = Helper::connect_at(&place).await.unwrap_err();
    assert!(matches!(error, HelperError::Impostor { uid, .. } if uid == place.uid), "{error}");
}

#[tokio::test]
async fn garbage_is_refused_with_the_reason() {
    let stage = Stage::start(BEFORE).await;
    let hosts = |session: &str, address: &str, name: &str| {
        serde_json::json!({"id": 1, "request": {"hosts": {
            "session": session, "entries": [{"address": address, "names": [name]}]
        }}})
    };
    let calls = [
        (hosts("00000000000a", "10.0.0.1", "x"), "is not an address of the loopback"),
        (hosts("00000000000a", "127.0.0.1", "x\n10.0.0.1 y"), "is not a host name"),
        (hosts("../../../etc", "127.0.0.1", "x"), "does not name a session"),
        (
            serde_json::json!({"id": 1, "request": {"listen": {"address": "127.0.0.1", "port": 0}}}),
            "nonzero",
        ),
        (
            serde_json::json!({"id": 1, "request": {"listen": {"address": "0.0.0.0", "port": 80}}}),
            "loopback",
        ),
        (
            serde_json::json!({"id": 1, "request": {"listen": {"address": "127.0.0.1", "port": 80, "path": "/"}}}),
            "unknown field",
        ),
        (serde_json::json!({"id": 1, "request": {"run": {"command": "sh"}}}), "unknown variant"),
        (
            serde_json::json!({"id": 1, "request": {"hosts": {"session": "00000000000a", "entries": []}}, "path": "/etc/passwd"}),
            "unknown field",
        ),
        (serde_json::json!([]), "frame that is not understood"),
    ];
    for (call, reason) in calls {
        let mut raw = stage.raw().await;
        raw.greet().await;
        raw.send(&frame::encode(&call).unwrap()).await;
        let refusal = raw.farewell().await;
        assert_eq!(refusal.code, RefusalCode::Malformed);
        assert!(refusal.message.contains(reason), "{call}: {refusal}");
        assert_eq!(stage.file(), BEFORE);
    }
    // Before the hello, and a length that is too large.
    let mut raw = stage.raw().await;
    raw.send(b"GET / HTTP/1.1\r\n\r\n").await;
    let Some(Greeting::Refused(refusal)) = raw.next().await else { panic!("not refused") };
    assert!(refusal.message.contains("at most 1048576 are allowed"), "{refusal}");
    let mut raw = stage.raw().await;
    raw.greet().await;
    raw.send(&u32::MAX.to_be_bytes()).await;
    assert_eq!(raw.farewell().await.code, RefusalCode::Malformed);
}

#[tokio::test]
async fn half_a_frame_is_waited_for_only_so_long() {
    let stage = Stage::start(BEFORE).await;
    let (mut half, mut silent) = (stage.raw().await, stage.raw().await);
    half.greet().await;
    half.send(&[0, 0, 1, 0, b'{']).await;
    silent.send(&[0, 0]).await;
    // It has the bytes before time passes by itself.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    tokio::time::pause();
    let refusal = half.farewell().await;
    assert_eq!(refusal.code, RefusalCode::TooSlow, "{refusal}");
    let Some(Greeting::Refused(refusal)) = silent.next().await else { panic!("not refused") };
    assert_eq!(refusal.code, RefusalCode::TooSlow, "{refusal}");
}

#[tokio::test]
async fn a_flood_is_taken_no_faster_than_its_answers_are() {
    let stage = Stage::start(BEFORE).await;
    let other = stage.client().await;
    let one = other.session(session("00000000000a"));
    one.set_hosts(vec![entry("127.77.0.1", &["x"])]).await.unwrap();
    let with = stage.file();
    let mut raw = stage.raw().await;
    raw.greet().await;
    let hosts = Request::Hosts { session: session("00000000000b"), entries: Vec::new() };
    let call = frame::encode(&Call { id: 1, request: hosts }).unwrap();
    // The helper takes no more, since nobody takes its answers; after a while it cuts the connection. (Time passes when nothing else happens.)
    tokio::time::pause();
    let mut sent = 0_usize;
    let cut = loop {
        raw.stream.writable().await.unwrap();
        match raw.stream.try_write(&call) {
            Ok(length) => sent += length,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => break error,
        }
        assert!(sent < 64 << 20, "it takes everything");
    };
    assert_eq!(cut.kind(), std::io::ErrorKind::BrokenPipe);
    // Nobody else noticed.
    one.set_hosts(vec![entry("127.77.0.1", &["x"])]).await.unwrap();
    assert_eq!(stage.file(), with);
}

#[tokio::test]
async fn too_many_connections_are_refused() {
    let stage = Stage::start(BEFORE).await;
    let mut all = Vec::new();
    for _ in 0..limits::CONNECTIONS {
        all.push(stage.client().await);
    }
    let error = Helper::connect_at(&stage.setup.place).await.unwrap_err();
    let HelperError::Refused(refusal) = &error else { panic!("{error}") };
    assert_eq!(refusal.code, RefusalCode::TooMany);
    drop(all);
    // There is room again as soon as it has noticed.
    loop {
        match Helper::connect_at(&stage.setup.place).await {
            Ok(Some(_)) => break,
            Err(HelperError::Refused(_)) => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
}

/// A client that sends file descriptors gives the helper nothing to keep.
#[tokio::test]
async fn file_descriptors_that_come_are_closed() {
    let stage = Stage::start(BEFORE).await;
    let mut raw = stage.raw().await;
    raw.greet().await;
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let hosts = Request::Hosts { session: session("00000000000b"), entries: Vec::new() };
    let call = Call { id: 1, request: hosts };
    let theirs = std::os::fd::OwnedFd::from(theirs);
    crate::channel::send(&raw.stream, &call, Some(&theirs)).await.unwrap();
    assert_eq!(raw.next::<Reply>().await, Some(Reply { id: Some(1), answer: Answer::Done }));
    drop(theirs);
    ours.set_nonblocking(true).unwrap();
    let mut ours = UnixStream::from_std(ours).unwrap();
    assert_eq!(ours.read(&mut [0]).await.unwrap(), 0, "nobody has the other end");
}
