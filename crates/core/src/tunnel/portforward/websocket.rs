//! A port-forward over the API server's WebSocket (`v4.channel.k8s.io`).
//!
//! kube's own `Portforwarder` copies through a pipe of its own in 4 KiB messages; here a flush is one message, and what was read is handed on
//! as it lies. The protocol: each binary message begins with its channel (0 the data, 1 what went wrong), and the first message of each
//! channel is the port in two bytes (kubelet, `pkg/kubelet/cri/streaming/portforward/websocket.go`).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::{Sink, Stream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::PortForwardFailed;

/// A message is sent at a flush, or when it has grown to this many bytes: large enough that its costs do not show, small enough
/// that both ends of the tunnel work at the same time.
const MESSAGE: usize = 128 * 1024;

/// How much is asked from the socket at once. A TLS record is at most 16 KiB, and the buffer is cleared before each read, so more only costs.
const READ: usize = 32 * 1024;

const DATA: u8 = 0;
const ERROR: u8 = 1;

/// The port as a pipe.
pub(crate) struct WebSocket<S> {
    socket: WebSocketStream<S>,
    incoming: Bytes,
    /// The next message: the channel, then what was written since the last one.
    outgoing: BytesMut,
    /// Whether the port has been received, by channel.
    announced: [bool; 2],
}

impl WebSocket<TokioIo<Upgraded>> {
    pub(super) async fn open(
        client: &kube::Client,
        request: http::Request<Vec<u8>>,
    ) -> Result<Self, kube::Error> {
        let socket = client.connect(request).await?.into_stream();
        // kube's stream has no buffers of a size of our choice. Nothing has been read from it yet, so nothing is lost here.
        Ok(Self::over(socket.into_inner()).await)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    async fn over(io: S) -> Self {
        let config = WebSocketConfig::default().read_buffer_size(READ).write_buffer_size(0);
        let socket = WebSocketStream::from_raw_socket(io, Role::Client, Some(config)).await;
        Self { socket, incoming: Bytes::new(), outgoing: empty(), announced: [false; 2] }
    }

    /// Takes one message apart; leaves what is for the reader in `incoming`.
    fn receive(&mut self, mut message: Bytes) -> io::Result<()> {
        if message.is_empty() {
            return Ok(());
        }
        let channel = message.get_u8();
        let Some(announced) = self.announced.get_mut(usize::from(channel)) else {
            return Err(invalid(format!(
                "the API server sent data on channel {channel}, which was not asked for"
            )));
        };
        if !std::mem::replace(announced, true) {
            return match message.len() {
                2 => Ok(()),
                other => Err(invalid(format!(
                    "the API server announced a port in {other} bytes in place of 2"
                ))),
            };
        }
        match channel {
            DATA => self.incoming = message,
            ERROR if !message.is_empty() => {
                let text = String::from_utf8_lossy(&message).trim().to_owned();
                return Err(io::Error::other(PortForwardFailed(text)));
            }
            _ => {}
        }
        Ok(())
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.outgoing.len() == 1 {
            return Poll::Ready(Ok(()));
        }
        ready!(Pin::new(&mut self.socket).poll_ready(cx)).map_err(broken)?;
        let message = std::mem::replace(&mut self.outgoing, empty()).freeze();
        Poll::Ready(Pin::new(&mut self.socket).start_send(Message::Binary(message)).map_err(broken))
    }
}

fn empty() -> BytesMut {
    let mut message = BytesMut::with_capacity(1024);
    message.put_u8(DATA);
    message
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::BrokenPipe.into(),
        other => io::Error::other(other),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.incoming.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                Some(Ok(Message::Binary(message))) => self.receive(message)?,
                // A ping has been answered by the socket itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Text(_))) => {
                    return Poll::Ready(Err(invalid("the API server sent text".to_owned())));
                }
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
            }
        }
        let most = self.incoming.len().min(into.remaining());
        into.put_slice(&self.incoming[..most]);
        self.incoming.advance(most);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.outgoing.len() >= MESSAGE {
            ready!(self.poll_send(cx))?;
        }
        let most = from.len().min(MESSAGE + 1 - self.outgoing.len());
        self.outgoing.extend_from_slice(&from[..most]);
        Poll::Ready(Ok(most))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.socket).poll_flush(cx).map_err(broken)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.socket).poll_close(cx).map_err(broken)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::{SinkExt, StreamExt};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::*;

    async fn pair() -> (WebSocket<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (client, server) = tokio::io::duplex(1024 * 1024);
        let server = WebSocketStream::from_raw_socket(server, Role::Server, None).await;
        (WebSocket::over(client).await, server)
    }

    fn message(channel: u8, payload: &[u8]) -> Message {
        let mut bytes = BytesMut::from(&[channel][..]);
        bytes.extend_from_slice(payload);
        Message::Binary(bytes.freeze())
    }

    #[tokio::test]
    async fn the_port_is_taken_off_and_the_rest_is_the_stream() {
        let (mut pipe, mut server) = pair().await;
        for part in [
            message(0, &[80, 0]),
            message(1, &[80, 0]),
            message(0, b"one "),
            Message::Ping("?".into()),
        ] {
            server.send(part).await.unwrap();
        }
        server.send(message(0, b"two")).await.unwrap();
        let mut text = [0; 7];
        pipe.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"one two");
        assert_eq!(server.next().await.unwrap().unwrap(), Message::Pong("?".into()));
        server.close(None).await.unwrap();
        assert_eq!(pipe.read(&mut text).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_flush_is_one_message_and_a_flood_is_cut() {
        let (mut pipe, mut server) = pair().await;
        pipe.write_all(b"head").await.unwrap();
        pipe.write_all(b"er").await.unwrap();
        pipe.flush().await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), message(0, b"header"));
        let flood = vec![7; 3 * MESSAGE];
        let sender = tokio::spawn(async move {
            pipe.write_all(&flood).await.unwrap();
            pipe.flush().await.unwrap();
            pipe
        });
        let mut received = 0;
        while received < 3 * MESSAGE {
            let part = server.next().await.unwrap().unwrap().into_data();
            assert!(part.len() <= MESSAGE + 1, "{}", part.len());
            received += part.len() - 1;
        }
        sender.await.unwrap();
    }

    #[tokio::test]
    async fn what_the_kubelet_says_is_the_error() {
        let (mut pipe, mut server) = pair().await;
        server.send(message(1, &[80, 0])).await.unwrap();
        server.send(message(1, b"connect: connection refused\n")).await.unwrap();
        let error = pipe.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.to_string(), "connect: connection refused");
        assert!(error.get_ref().unwrap().is::<PortForwardFailed>());
    }

    #[tokio::test]
    async fn a_cut_is_not_an_end() {
        let (mut pipe, server) = pair().await;
        drop(server);
        assert!(pipe.read(&mut [0]).await.is_err());
    }
}
