//! Carries one TCP connection over one stream: every byte, the half-close, the reset.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use crate::chunk::{self, ChunkError, Failure, Kind};
use crate::mux::FRAME;

/// Bytes carried so far; shared with whoever shows them.
#[derive(Debug, Default)]
pub struct Traffic {
    /// From the TCP connection into the tunnel.
    pub sent: AtomicU64,
    /// From the tunnel to the TCP connection.
    pub received: AtomicU64,
}

/// Counts what [`carry`] carries, as it carries it.
pub trait Meter: Sync {
    /// So many bytes more went from the TCP connection into the tunnel.
    fn sent(&self, bytes: u64);
    /// So many bytes more came from the tunnel to the TCP connection.
    fn received(&self, bytes: u64);
}

impl Meter for Traffic {
    fn sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Relaxed);
    }

    fn received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Relaxed);
    }
}

/// A connection ended otherwise than by both sides closing.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// The far end could not be connected; nothing reached it.
    #[error(transparent)]
    Failed(Failure),
    /// The far end reset the connection, or the tunnel is gone.
    #[error("reset from the far end: {0}")]
    FarReset(#[source] ChunkError),
    /// The near end reset the connection.
    #[error("reset from the near end: {0}")]
    NearReset(#[source] std::io::Error),
    /// The tunnel did not take what was written.
    #[error("the tunnel broke: {0}")]
    Tunnel(#[source] std::io::Error),
}

/// Carries `tcp` over `stream` until both directions have ended. On any error the TCP connection is reset (RST, not FIN) and the stream too,
/// so that neither end takes a cut for an end.
///
/// `on_ready` is called when the far end says that its connection stands; the bytes of this end do not wait for that.
///
/// # Errors
/// As [`CarryError`] says.
pub async fn carry(
    mut tcp: TcpStream,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin,
    meter: &impl Meter,
    on_ready: impl FnOnce() + Send,
) -> Result<(), CarryError> {
    let (from_tunnel, to_tunnel) = tokio::io::split(stream);
    let (reader, writer) = tcp.split();
    let outward = send(reader, to_tunnel, meter);
    let inward = receive(from_tunnel, writer, meter, on_ready);
    let ended = tokio::try_join!(outward, inward);
    if ended.is_err() {
        // Nothing more can be done for a socket that does not even take this option.
        let _ = tcp.set_zero_linger();
    }
    ended.map(|_| ())
}

async fn send(
    mut tcp: ReadHalf<'_>,
    mut tunnel: impl AsyncWrite + Unpin,
    meter: &impl Meter,
) -> Result<(), CarryError> {
    // The header's place is kept free in front, so that a chunk is one write. Grown with the traffic: hundreds of idle connections cost little.
    let mut buffer = vec![0; 4 * 1024];
    loop {
        let read = tcp.read(&mut buffer[chunk::HEADER..]).await.map_err(CarryError::NearReset)?;
        if read == 0 {
            chunk::write_mark(&mut tunnel, Kind::End).await.map_err(CarryError::Tunnel)?;
            return tunnel.shutdown().await.map_err(CarryError::Tunnel);
        }
        buffer[..chunk::HEADER].copy_from_slice(&chunk::header(Kind::Data, read));
        let frame = chunk::HEADER + read;
        tunnel.write_all(&buffer[..frame]).await.map_err(CarryError::Tunnel)?;
        tunnel.flush().await.map_err(CarryError::Tunnel)?;
        meter.sent(read as u64);
        // Up to what the multiplexer carries in one frame, header included: a byte more would be a frame more.
        if frame == buffer.len() && frame < FRAME {
            buffer.resize((frame * 4).min(FRAME), 0);
        }
    }
}

async fn receive(
    mut tunnel: impl AsyncRead + Unpin,
    mut tcp: WriteHalf<'_>,
    meter: &impl Meter,
    on_ready: impl FnOnce(),
) -> Result<(), CarryError> {
    let mut on_ready = Some(on_ready);
    let mut buffer = Vec::new();
    loop {
        let (kind, mut left) =
            chunk::read_header(&mut tunnel).await.map_err(CarryError::FarReset)?;
        match kind {
            Kind::Ready => {
                if let Some(call) = on_ready.take() {
                    call();
                }
            }
            Kind::End => {
                // The near end may have closed for reading already; its own direction tells whether all is well.
                let _ = tcp.shutdown().await;
                return Ok(());
            }
            Kind::Failed => {
                let failure =
                    chunk::read_failure(&mut tunnel, left).await.map_err(CarryError::FarReset)?;
                return Err(CarryError::Failed(failure));
            }
            Kind::Data => {
                buffer.resize(buffer.len().max(left.min(chunk::LARGEST)), 0);
                while left > 0 {
                    let most = left.min(buffer.len());
                    let read = tunnel
                        .read(&mut buffer[..most])
                        .await
                        .map_err(|error| CarryError::FarReset(ChunkError::Reset(error)))?;
                    if read == 0 {
                        let end = std::io::ErrorKind::UnexpectedEof.into();
                        return Err(CarryError::FarReset(ChunkError::Reset(end)));
                    }
                    tcp.write_all(&buffer[..read]).await.map_err(CarryError::NearReset)?;
                    meter.received(read as u64);
                    left -= read;
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use tokio::net::TcpListener;

    use super::*;
    use crate::mux::{MuxStream, Side, multiplex};

    /// A TCP connection: the end that the test holds, and the end that is carried.
    async fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dial = TcpStream::connect(listener.local_addr().unwrap());
        let (near, carried) = tokio::join!(dial, listener.accept());
        (near.unwrap(), carried.unwrap().0)
    }

    async fn stream_pair() -> (MuxStream, MuxStream) {
        let (a, b) = tokio::io::duplex(64 * 1024);
        let (open, keep, client) = multiplex(a, Side::Client);
        let (keep_too, mut accept, agent) = multiplex(b, Side::Agent);
        tokio::spawn(async move { (client.await, keep) });
        tokio::spawn(async move { (agent.await, keep_too) });
        let mut near = open.open().await.unwrap();
        near.write_all(b"!").await.unwrap();
        let mut far = accept.accept().await.unwrap();
        far.read_exact(&mut [0]).await.unwrap();
        tokio::spawn(async move { (open.closed().await, accept.accept().await) });
        (near, far)
    }

    /// Two test ends, joined through the tunnel.
    async fn joined() -> (TcpStream, TcpStream, Arc<Traffic>) {
        let (near_stream, far_stream) = stream_pair().await;
        let ((near, near_carried), (far, far_carried)) = (connection().await, connection().await);
        let traffic = Arc::new(Traffic::default());
        let shared = traffic.clone();
        tokio::spawn(async move { carry(near_carried, near_stream, &*shared, || ()).await });
        tokio::spawn(
            async move { carry(far_carried, far_stream, &Traffic::default(), || ()).await },
        );
        (near, far, traffic)
    }

    #[tokio::test]
    async fn either_side_may_speak_first() {
        let (mut near, mut far, _) = joined().await;
        let mut bytes = [0; 3];
        far.write_all(b"220").await.unwrap();
        near.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"220");
        near.write_all(b"HEL").await.unwrap();
        far.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"HEL");
    }

    #[tokio::test]
    async fn a_half_close_leaves_the_other_way_open() {
        let (mut near, mut far, traffic) = joined().await;
        let payload: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
        let expected = payload.clone();
        let writer = tokio::spawn(async move {
            near.write_all(&payload).await.unwrap();
            near.shutdown().await.unwrap();
            let mut answer = String::new();
            near.read_to_string(&mut answer).await.unwrap();
            answer
        });
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        assert!(got == expected, "{} of {} bytes, or in another order", got.len(), expected.len());
        far.write_all(b"thank you").await.unwrap();
        far.shutdown().await.unwrap();
        assert_eq!(writer.await.unwrap(), "thank you");
        assert_eq!(traffic.sent.load(Relaxed), 3_000_000);
        assert_eq!(traffic.received.load(Relaxed), 9);
    }

    #[tokio::test]
    async fn a_reset_arrives_as_a_reset_even_after_a_half_close() {
        for half_closed in [false, true] {
            let (mut near, mut far, _) = joined().await;
            far.write_all(b"partial").await.unwrap();
            let mut bytes = [0; 7];
            near.read_exact(&mut bytes).await.unwrap();
            if half_closed {
                near.shutdown().await.unwrap();
                assert_eq!(far.read(&mut bytes).await.unwrap(), 0);
            }
            far.set_zero_linger().unwrap();
            drop(far);
            let error = near.read(&mut bytes).await.unwrap_err();
            assert_eq!(
                error.kind(),
                std::io::ErrorKind::ConnectionReset,
                "half closed: {half_closed}"
            );
        }
    }

    #[tokio::test]
    async fn a_failed_dial_resets_and_says_why() {
        let (near_stream, mut far_stream) = stream_pair().await;
        let (mut near, carried) = connection().await;
        let failure = Failure { kind: chunk::FailureKind::Refused, message: "nobody there".into() };
        chunk::write_failure(&mut far_stream, &failure).await.unwrap();
        let traffic = Traffic::default();
        let error = carry(carried, near_stream, &traffic, || ()).await.unwrap_err();
        assert!(matches!(error, CarryError::Failed(got) if got == failure));
        let error = near.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn readiness_is_told_once() {
        let (near_stream, mut far_stream) = stream_pair().await;
        let (mut near, carried) = connection().await;
        chunk::write_mark(&mut far_stream, Kind::Ready).await.unwrap();
        chunk::write_mark(&mut far_stream, Kind::End).await.unwrap();
        near.shutdown().await.unwrap();
        let mut ready = 0;
        carry(carried, near_stream, &Traffic::default(), || ready += 1).await.unwrap();
        assert_eq!(ready, 1);
    }
}
