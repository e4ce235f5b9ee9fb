//! The multiplexer below everything, which is yamux.

use tokio::io::AsyncReadExt;
use towline_wire::mux::{Side, multiplex};

use super::pipe::both_ways;

/// Whatever comes on the pipe, the connection comes to an end with it, and so does each of its streams.
pub(super) fn check(bytes: &[u8], size: usize) {
    for side in [Side::Client, Side::Agent] {
        both_ways(bytes, size, async |near| {
            let (open, mut accept, driver) = multiplex(near, side);
            let accepting = async {
                let mut streams = Vec::new();
                while let Some(stream) = accept.accept().await {
                    streams.push(stream);
                }
                streams
            };
            let opening = async { open.open().await.ok() };
            // It must end: with what it does not understand, or with the pipe.
            let (_, streams, opened) = tokio::join!(driver, accepting, opening);
            for mut stream in streams.into_iter().chain(opened) {
                let mut received = Vec::new();
                let _ = stream.read_to_end(&mut received).await;
                assert!(received.len() <= bytes.len(), "more than came");
            }
            assert!(open.is_closed());
        });
    }
}
