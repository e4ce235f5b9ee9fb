//! A port-forward over SPDY/3.1, as kubectl makes it (`portforward.k8s.io`, KEP-4006 tells its history).
//!
//! Two streams for the one connection: the first is for what goes wrong, the second carries the bytes. The other side (moby/spdystream) knows no
//! flow control, and neither does this: what is not read stays in TCP. Header blocks are compressed by a zlib stream over the whole
//! connection; deflate has stored blocks, so sending them needs no compressor, and those that come say nothing that is needed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, BytesMut};
use http::header::{CONNECTION, HeaderValue, UPGRADE};
use http::{HeaderName, StatusCode};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;

use super::PortForwardFailed;

const PROTOCOL: &str = "SPDY/3.1";

const ERRORS: u32 = 1;
const DATA: u32 = 3;

/// Every frame begins with this many bytes.
const HEADER: usize = 8;
const FIN: u8 = 1;

/// A frame is sent at a flush, or when its payload has grown to this many bytes: the multiplexer's largest frames are a little above 64 KiB.
const FRAME: usize = 128 * 1024;

/// How much is asked from the connection at once: what TLS gives are records of 16 KiB.
const READ: usize = 64 * 1024;

/// What is kept of an error's text.
const LONGEST_ERROR: usize = 4 * 1024;

/// The port as a pipe.
pub(crate) struct Spdy<S> {
    io: S,
    incoming: BytesMut,
    /// What is left of the frame that is being received.
    frame: Frame,
    error: Vec<u8>,
    ended: bool,
    /// Sealed frames on their way out.
    sending: BytesMut,
    /// The next data frame: room for its header, then what was written.
    outgoing: BytesMut,
}

/// The frame that is being received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    None,
    /// Bytes of a stream; `last`: the stream ends with them.
    Data {
        stream: u32,
        left: usize,
        last: bool,
    },
    /// Nothing that is needed.
    Skipped {
        left: usize,
    },
}

impl Spdy<TokioIo<Upgraded>> {
    /// `None` where the other side does not switch to SPDY, for whatever reason.
    pub(super) async fn open(
        client: &kube::Client,
        request: http::Request<Vec<u8>>,
        port: u16,
    ) -> Result<Option<Self>, kube::Error> {
        let mut request = request.map(Body::from);
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static(PROTOCOL));
        let version = HeaderName::from_static("x-stream-protocol-version");
        headers.insert(version, HeaderValue::from_static("portforward.k8s.io"));
        let response = client.send(request).await?;
        let upgrade = response.headers().get(UPGRADE).and_then(|value| value.to_str().ok());
        if response.status() != StatusCode::SWITCHING_PROTOCOLS
            || !upgrade.is_some_and(|value| value.eq_ignore_ascii_case(PROTOCOL))
        {
            return Ok(None);
        }
        let upgraded = hyper::upgrade::on(response).await.map_err(kube::Error::HyperError)?;
        Ok(Some(Self::over(TokioIo::new(upgraded), port)))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Spdy<S> {
    fn over(io: S, port: u16) -> Self {
        let mut sending = BytesMut::new();
        // The zlib header: deflate, with SPDY/3's dictionary, named by its checksum (RFC 1950, section 2.2).
        syn_stream(&mut sending, ERRORS, FIN, &[0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2], "error", port);
        syn_stream(&mut sending, DATA, 0, &[], "data", port);
        Self {
            io,
            incoming: BytesMut::with_capacity(READ),
            frame: Frame::None,
            error: Vec::new(),
            ended: false,
            sending,
            outgoing: unsealed(),
        }
    }

    /// Takes the next frame's header; `false`: more has to be read first.
    fn begin_frame(&mut self) -> bool {
        let Some(header) = self.incoming.first_chunk::<HEADER>() else { return false };
        let [a, b, c, d, flags, x, y, z] = *header;
        let left = u32::from_be_bytes([0, x, y, z]) as usize;
        if a & 0x80 == 0 {
            let stream = u32::from_be_bytes([a, b, c, d]);
            self.frame = Frame::Data { stream, left, last: flags & FIN != 0 };
            self.incoming.advance(HEADER);
            return true;
        }
        // Control frames: version 3, then the type.
        match u16::from_be_bytes([c, d]) {
            RST_STREAM | PING if self.incoming.len() < HEADER + left => return false,
            RST_STREAM => self.reset(HEADER),
            PING => self.answer(left),
            _ => {}
        }
        self.incoming.advance(HEADER);
        self.frame = Frame::Skipped { left };
        true
    }

    fn reset(&mut self, at: usize) {
        let stream = self
            .incoming
            .get(at..at + 4)
            .map(|id| u32::from_be_bytes([id[0], id[1], id[2], id[3]]));
        if stream == Some(DATA) && self.error.is_empty() {
            self.error.extend_from_slice(b"the connection in the pod was reset");
            self.ended = true;
        }
    }

    fn answer(&mut self, left: usize) {
        // The server's pings have even numbers; an odd one would be the answer to one of ours.
        let ping = &self.incoming[..HEADER + left];
        if ping.last().is_some_and(|byte| byte % 2 == 0) {
            self.sending.extend_from_slice(ping);
        }
    }

    /// Why the pipe ended, if it was not by the other side's closing it.
    fn failure(&self) -> Option<io::Error> {
        let text = String::from_utf8_lossy(&self.error).trim().to_owned();
        (!text.is_empty()).then(|| io::Error::other(PortForwardFailed(text)))
    }

    fn seal(&mut self) {
        let payload = self.outgoing.len() - HEADER;
        if payload == 0 {
            return;
        }
        let length = u32::try_from(payload).unwrap_or(u32::MAX).to_be_bytes();
        self.outgoing[..4].copy_from_slice(&DATA.to_be_bytes());
        self.outgoing[4..HEADER].copy_from_slice(&[0, length[1], length[2], length[3]]);
        let frame = std::mem::replace(&mut self.outgoing, unsealed());
        if self.sending.is_empty() {
            self.sending = frame;
        } else {
            self.sending.extend_from_slice(&frame);
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.sending.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.sending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sending.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

const RST_STREAM: u16 = 3;
const PING: u16 = 6;

fn unsealed() -> BytesMut {
    let mut frame = BytesMut::with_capacity(2 * 1024);
    frame.put_bytes(0, HEADER);
    frame
}

/// Opens a stream. `begin` is the begin of the zlib stream that header blocks are in, for the first of them.
fn syn_stream(into: &mut BytesMut, stream: u32, flags: u8, begin: &[u8], kind: &str, port: u16) {
    let mut block = BytesMut::new();
    let headers = [("streamtype", kind), ("port", &port.to_string()), ("requestid", "0")];
    block.put_u32(3);
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        block.put_u32(u32::try_from(text.len()).unwrap_or(0));
        block.put_slice(text.as_bytes());
    }
    // A stored block, and an empty one, which makes the reader give out what it has (RFC 1951, section 3.2.4).
    let length = u16::try_from(block.len()).unwrap_or(0);
    let mut payload = BytesMut::new();
    payload.put_u32(stream);
    payload.put_bytes(0, 6); // No associated stream, the highest priority.
    payload.put_slice(begin);
    payload.put_u8(0);
    payload.put_u16_le(length);
    payload.put_u16_le(!length);
    payload.put_slice(&block);
    payload.put_slice(&[0, 0, 0, 0xff, 0xff]);
    // Version 3, type 1 (SYN_STREAM), flags, length.
    into.put_u32(0x8003_0001);
    into.put_u8(flags);
    into.put_uint(payload.len() as u64, 3);
    into.put_slice(&payload);
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Spdy<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.ended {
                return Poll::Ready(this.failure().map_or(Ok(()), Err));
            }
            let here = this.incoming.len();
            match &mut this.frame {
                Frame::None => {
                    if this.begin_frame() {
                        // An answer to a ping goes out as soon as it can.
                        if let Poll::Ready(Err(error)) = this.poll_send(cx) {
                            return Poll::Ready(Err(error));
                        }
                        continue;
                    }
                }
                Frame::Skipped { left } => {
                    let most = here.min(*left);
                    this.incoming.advance(most);
                    *left -= most;
                    if *left == 0 {
                        this.frame = Frame::None;
                        continue;
                    }
                }
                Frame::Data { left: 0, stream, last } => {
                    // The runtime ends the stream for errors without a word when all is well.
                    this.ended = *last && (*stream == DATA || !this.error.is_empty());
                    this.frame = Frame::None;
                    continue;
                }
                Frame::Data { stream: DATA, left, .. } if here > 0 => {
                    let most = here.min(*left).min(into.remaining());
                    into.put_slice(&this.incoming[..most]);
                    this.incoming.advance(most);
                    *left -= most;
                    return Poll::Ready(Ok(()));
                }
                Frame::Data { left, .. } if here > 0 => {
                    let most = here.min(*left);
                    let kept = most.min(LONGEST_ERROR.saturating_sub(this.error.len()));
                    this.error.extend_from_slice(&this.incoming[..kept]);
                    this.incoming.advance(most);
                    *left -= most;
                    continue;
                }
                Frame::Data { .. } => {}
            }
            this.incoming.reserve(READ);
            if ready!(poll_read_buf(Pin::new(&mut this.io), cx, &mut this.incoming))? == 0 {
                this.ended = true;
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Spdy<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.outgoing.len() >= HEADER + FRAME {
            ready!(self.poll_send(cx))?;
            self.seal();
        }
        let most = from.len().min(HEADER + FRAME - self.outgoing.len());
        self.outgoing.extend_from_slice(&from[..most]);
        Poll::Ready(Ok(most))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.outgoing.len() > HEADER {
            ready!(self.poll_send(cx))?;
            self.seal();
        }
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
