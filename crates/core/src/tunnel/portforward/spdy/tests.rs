#![allow(clippy::unwrap_used)]

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;

fn pair() -> (Spdy<DuplexStream>, DuplexStream) {
    let (client, server) = tokio::io::duplex(1024 * 1024);
    (Spdy::over(client, 8080), server)
}

fn data(stream: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = stream.to_be_bytes().to_vec();
    frame.push(flags);
    frame.extend_from_slice(&u32::try_from(payload.len()).unwrap().to_be_bytes()[1..]);
    frame.extend_from_slice(payload);
    frame
}

/// Reads a frame: its first word, its flags, its payload.
async fn frame(io: &mut DuplexStream) -> (u32, u8, Vec<u8>) {
    let first = io.read_u32().await.unwrap();
    let word = io.read_u32().await.unwrap();
    let mut payload = vec![0; (word & 0xff_ffff) as usize];
    io.read_exact(&mut payload).await.unwrap();
    (first, u8::try_from(word >> 24).unwrap(), payload)
}

#[tokio::test]
async fn two_streams_are_opened_and_then_bytes_go_out() {
    let (mut pipe, mut server) = pair();
    pipe.write_all(b"he").await.unwrap();
    pipe.write_all(b"llo").await.unwrap();
    pipe.flush().await.unwrap();
    let (kind, flags, payload) = frame(&mut server).await;
    assert_eq!((kind, flags, &payload[..4]), (0x8003_0001, FIN, &[0, 0, 0, 1][..]));
    assert_eq!(payload[10..16], [0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2]);
    // One stored block that holds the headers, and an empty one.
    let length = usize::from(u16::from_le_bytes([payload[17], payload[18]]));
    assert_eq!(payload.len(), 21 + length + 5);
    let headers = String::from_utf8_lossy(&payload[21..21 + length]).into_owned();
    assert!(
        headers.contains("streamtype\0\0\0\u{5}error\0\0\0\u{4}port\0\0\0\u{4}8080"),
        "{headers:?}"
    );
    let (kind, flags, payload) = frame(&mut server).await;
    assert_eq!((kind, flags, &payload[..4]), (0x8003_0001, 0, &[0, 0, 0, 3][..]));
    assert_eq!(frame(&mut server).await, (DATA, 0, b"hello".to_vec()));
}

#[tokio::test]
async fn bytes_come_in_however_they_are_cut_and_between_other_frames() {
    let (mut pipe, mut server) = pair();
    let reply = [&[0x80, 3, 0, 2, 0, 0, 0, 6][..], &[0, 0, 0, 3, 9, 9]].concat();
    let ping = [0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 2];
    let all = [
        &reply[..],
        &data(DATA, 0, b"one "),
        &ping,
        &data(ERRORS, FIN, b""),
        &data(DATA, FIN, b"two"),
    ]
    .concat();
    let writing = tokio::spawn(async move {
        for byte in all {
            server.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        server
    });
    let mut text = String::new();
    pipe.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "one two");
    let mut server = writing.await.unwrap();
    pipe.flush().await.unwrap();
    let (_, _) = (frame(&mut server).await, frame(&mut server).await);
    assert_eq!(frame(&mut server).await, (0x8003_0006, 0, vec![0, 0, 0, 2]));
}

#[tokio::test]
async fn what_the_kubelet_says_is_the_error() {
    let (mut pipe, mut server) = pair();
    server.write_all(&data(ERRORS, 0, b"connect: connection ")).await.unwrap();
    server.write_all(&data(ERRORS, FIN, b"refused\n")).await.unwrap();
    let error = pipe.read(&mut [0]).await.unwrap_err();
    assert_eq!(error.to_string(), "connect: connection refused");
    assert!(error.get_ref().unwrap().is::<PortForwardFailed>());
}

#[tokio::test]
async fn a_reset_stream_is_an_error_and_a_closed_connection_an_end() {
    let (mut pipe, mut server) = pair();
    server.write_all(&[0x80, 3, 0, 3, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 5]).await.unwrap();
    assert!(pipe.read(&mut [0]).await.is_err());
    let (mut pipe, server) = pair();
    drop(server);
    assert_eq!(pipe.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_flood_is_cut_into_frames_and_nothing_is_lost() {
    let (mut pipe, mut server) = pair();
    let flood: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 251) as u8).collect();
    let expected = flood.clone();
    let sending = tokio::spawn(async move {
        pipe.write_all(&flood).await.unwrap();
        pipe.flush().await.unwrap();
        pipe
    });
    let (_, _) = (frame(&mut server).await, frame(&mut server).await);
    let mut received = Vec::new();
    while received.len() < expected.len() {
        let (stream, _, payload) = frame(&mut server).await;
        assert!(stream == DATA && payload.len() <= FRAME);
        received.extend(payload);
    }
    assert!(received == expected);
    sending.await.unwrap();
}
