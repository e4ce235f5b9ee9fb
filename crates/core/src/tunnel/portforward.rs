//! One port of one pod as a byte pipe, through the API server.
//!
//! Every API server forwards ports over SPDY, and every kubelet's runtime serves that with the least work; a WebSocket costs it a mask and two
//! copies for each byte. So SPDY is tried first, and what cannot pass it (some proxies) gets the WebSocket.

mod spdy;
mod websocket;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::spdy::Spdy;
use self::websocket::WebSocket;

/// The port as a pipe. Dropping it closes the connection.
pub(crate) enum PortForward {
    Spdy(Box<Spdy<TokioIo<Upgraded>>>),
    WebSocket(Box<WebSocket<TokioIo<Upgraded>>>),
}

/// The kubelet could not make the connection inside of the pod, or lost it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct PortForwardFailed(pub(crate) String);

impl PortForward {
    /// Asks the API server for the pod's port. That it stands does not say that anything listens there: that is known by the first bytes.
    pub(crate) async fn open(
        client: &kube::Client,
        namespace: &str,
        pod: &str,
        port: u16,
    ) -> Result<Self, kube::Error> {
        let request = || {
            kube::core::Request::new(format!("/api/v1/namespaces/{namespace}/pods"))
                .portforward(pod, &[port])
                .map_err(kube::Error::BuildRequest)
        };
        if let Some(spdy) = Spdy::open(client, request()?, port).await? {
            return Ok(Self::Spdy(Box::new(spdy)));
        }
        // Where it was no for another reason, such as a missing right, the answer to this says so.
        WebSocket::open(client, request()?).await.map(|socket| Self::WebSocket(Box::new(socket)))
    }
}

impl AsyncRead for PortForward {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Spdy(pipe) => Pin::new(pipe).poll_read(cx, into),
            Self::WebSocket(pipe) => Pin::new(pipe).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for PortForward {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Spdy(pipe) => Pin::new(pipe).poll_write(cx, from),
            Self::WebSocket(pipe) => Pin::new(pipe).poll_write(cx, from),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Spdy(pipe) => Pin::new(pipe).poll_flush(cx),
            Self::WebSocket(pipe) => Pin::new(pipe).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Spdy(pipe) => Pin::new(pipe).poll_shutdown(cx),
            Self::WebSocket(pipe) => Pin::new(pipe).poll_shutdown(cx),
        }
    }
}
