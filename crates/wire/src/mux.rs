//! Many streams on one pipe, by yamux. A task drives the connection; [`Opener`] and [`Acceptor`] are its two ends.

use std::task::Poll;

use futures::channel::oneshot;
use futures::future::poll_fn;
use futures::{AsyncWriteExt as _, FutureExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};

/// One stream of the tunnel. Dropping it before it is shut down resets it.
pub type MuxStream = Compat<yamux::Stream>;

/// Which side of the pipe this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Towline's core.
    Client,
    /// The agent.
    Agent,
}

/// The most streams at once on one pipe: open connections, and a few questions.
pub const MOST_STREAMS: usize = 8192;

/// The largest body of a yamux frame. Yamux's own 16 KiB would cost a header and a queue turn four times as often.
pub(crate) const FRAME: usize = 64 * 1024;

/// How many opened streams may wait to be accepted. Yamux lets no more than 256 be without an answer (`MAX_ACK_BACKLOG`), so this never overflows.
const BACKLOG: usize = 256;

/// The tunnel is gone.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the tunnel is closed")]
pub struct Closed;

/// Opens streams. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Opener(mpsc::Sender<oneshot::Sender<yamux::Stream>>);

/// Yields the streams that the other side opens.
#[derive(Debug)]
pub struct Acceptor(mpsc::Receiver<yamux::Stream>);

impl Opener {
    /// Opens a stream; does not wait for the other side.
    ///
    /// # Errors
    /// [`Closed`] when the tunnel is gone.
    pub async fn open(&self) -> Result<MuxStream, Closed> {
        let (reply, opened) = oneshot::channel();
        self.0.send(reply).await.map_err(|_| Closed)?;
        Ok(opened.await.map_err(|_| Closed)?.compat())
    }

    /// Resolves when the tunnel is gone.
    pub async fn closed(&self) {
        self.0.closed().await;
    }

    /// Whether the tunnel is gone.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl Acceptor {
    /// The next stream; none when the tunnel is gone.
    pub async fn accept(&mut self) -> Option<MuxStream> {
        let mut stream = self.0.recv().await?;
        // Yamux answers the opening only with the first frame that goes back, and lets its peer have no more than 256 streams without an answer:
        // as many connections that hang would hold up all others. So here goes an empty frame. It is taken at once, as the stream's queue is new;
        // an error means that the tunnel is gone, and whoever uses the stream will see that.
        let _ = stream.write(&[]).now_or_never();
        Some(stream.compat())
    }
}

/// Splits `io` into its two ends and the future that moves the bytes; the caller spawns that. It ends when the pipe does, when both ends have
/// been dropped, or, by being dropped, when the caller wants it to; all streams are reset then.
///
/// `io` should buffer: yamux writes headers and bodies apart, and flushes when it has nothing more to say.
pub fn multiplex<T>(
    io: T,
    side: Side,
) -> (Opener, Acceptor, impl Future<Output = Result<(), yamux::ConnectionError>> + Send)
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut config = yamux::Config::default();
    config
        // Yamux demands room for each stream's 256 KiB, before the number of streams is raised; this is the ceiling for
        // windows that grow, not memory taken.
        .set_max_connection_receive_window(Some(MOST_STREAMS * 256 * 1024 + 256 * 1024 * 1024))
        .set_max_num_streams(MOST_STREAMS)
        .set_split_send_size(FRAME);
    let mode = match side {
        Side::Client => yamux::Mode::Client,
        Side::Agent => yamux::Mode::Server,
    };
    let connection = yamux::Connection::new(io.compat(), config, mode);
    let (open, opens) = mpsc::channel(BACKLOG);
    let (accepted, accepts) = mpsc::channel(BACKLOG);
    (Opener(open), Acceptor(accepts), drive(connection, opens, accepted))
}

async fn drive<T>(
    mut connection: yamux::Connection<Compat<T>>,
    mut opens: mpsc::Receiver<oneshot::Sender<yamux::Stream>>,
    accepted: mpsc::Sender<yamux::Stream>,
) -> Result<(), yamux::ConnectionError>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut wanted: Option<oneshot::Sender<yamux::Stream>> = None;
    let mut no_more_opens = false;
    let ended = poll_fn(|cx| {
        loop {
            if wanted.is_none() && !no_more_opens {
                match opens.poll_recv(cx) {
                    Poll::Ready(Some(reply)) => wanted = Some(reply),
                    Poll::Ready(None) => no_more_opens = true,
                    Poll::Pending => {}
                }
            }
            if no_more_opens && accepted.is_closed() {
                return Poll::Ready(Ok(()));
            }
            if wanted.is_some() {
                match connection.poll_new_outbound(cx) {
                    Poll::Ready(Ok(stream)) => {
                        if let Some(reply) = wanted.take() {
                            // Whoever asked may have given up; the stream is then dropped unused.
                            let _ = reply.send(stream);
                        }
                        continue;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {}
                }
            }
            match connection.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(stream))) => {
                    // Never full, see BACKLOG; against a peer that does not keep to it, dropping resets this stream and no other.
                    let _ = accepted.try_send(stream);
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
    // Says goodbye where the pipe still works; a broken one answers with an error that changes nothing.
    let _ = tokio::time::timeout(
        std::time::Duration::from_secs(1),
        poll_fn(|cx| connection.poll_close(cx)),
    )
    .await;
    ended
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn pair() -> ((Opener, Acceptor), (Opener, Acceptor)) {
        let (a, b) = tokio::io::duplex(64 * 1024);
        let (client_open, client_accept, client) = multiplex(a, Side::Client);
        let (agent_open, agent_accept, agent) = multiplex(b, Side::Agent);
        tokio::spawn(client);
        tokio::spawn(agent);
        ((client_open, client_accept), (agent_open, agent_accept))
    }

    #[tokio::test]
    async fn both_sides_open_streams() {
        let ((client, mut from_agent), (agent, mut from_client)) = pair();
        let mut out = client.open().await.unwrap();
        out.write_all(b"to agent").await.unwrap();
        out.shutdown().await.unwrap();
        let mut text = String::new();
        from_client.accept().await.unwrap().read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "to agent");
        let mut back = agent.open().await.unwrap();
        back.write_all(b"to client").await.unwrap();
        back.shutdown().await.unwrap();
        text.clear();
        from_agent.accept().await.unwrap().read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "to client");
    }

    #[tokio::test]
    async fn the_end_of_the_pipe_is_noticed() {
        let (a, b) = tokio::io::duplex(1024);
        let (open, mut accept, driver) = multiplex(a, Side::Client);
        let driven = tokio::spawn(driver);
        drop(b);
        assert!(accept.accept().await.is_none());
        open.closed().await;
        assert!(open.open().await.is_err());
        let _ = driven.await.unwrap();
    }

    #[tokio::test]
    async fn streams_that_wait_for_an_answer_do_not_hold_up_others() {
        let ((client, _keep), (_keep_too, mut from_client)) = pair();
        let opening = async {
            let mut open = Vec::new();
            for number in 0..1000_u32 {
                let mut stream = client.open().await.unwrap();
                stream.write_u32(number).await.unwrap();
                open.push(stream);
            }
            open
        };
        let accepting = async {
            let mut accepted = Vec::new();
            for number in 0..1000_u32 {
                let mut stream = from_client.accept().await.unwrap();
                assert_eq!(stream.read_u32().await.unwrap(), number);
                accepted.push(stream);
            }
            accepted
        };
        let (mut opened, mut accepted) = tokio::join!(opening, accepting);
        // The empty frame that answers an opening is no byte of the stream.
        accepted[999].write_u8(7).await.unwrap();
        assert_eq!(opened[999].read_u8().await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_stream_that_nobody_reads_does_not_hold_up_another() {
        let ((client, _), (_, mut from_client)) = pair();
        let mut stuck = client.open().await.unwrap();
        let flood = tokio::spawn(async move {
            let _ = stuck.write_all(&vec![0; 8 * 1024 * 1024]).await;
        });
        let _unread = from_client.accept().await.unwrap();
        let mut quick = client.open().await.unwrap();
        quick.write_all(b"quick").await.unwrap();
        let mut bytes = [0; 5];
        from_client.accept().await.unwrap().read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"quick");
        assert!(!flood.is_finished(), "yamux must hold the flood back");
        flood.abort();
    }
}
