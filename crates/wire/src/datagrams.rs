//! Carries UDP: the datagrams that one peer exchanges with one socket, over one stream.
//!
//! Such an exchange is a flow. It has no begin and no end of its own: it begins with the first datagram of a peer, and is over when neither side has sent
//! one for [`IDLE`]. Each datagram is one chunk of [`Kind::Data`], whole. As everywhere with UDP a datagram may be lost: here it is where more than
//! [`WAITING`] of a peer wait for the tunnel. What was taken by the tunnel arrives, in order, also over another connection than the first ([`crate::resume`]).
//!
//! [`Flows`] tells the datagrams of a socket apart by who sent them; [`carry_datagrams`] does the rest, for one of those as for a socket that was
//! connected to one peer.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::{Instant, sleep_until, timeout};

use crate::carry::{CarryError, Meter};
use crate::chunk::{self, ChunkError, Kind};

/// A flow without a datagram for this long is over. Linux forgets one after 30 s if only one side has spoken, else after 120 s
/// (`nf_conntrack_udp_timeout`, `nf_conntrack_udp_timeout_stream`). No time that people choose for heartbeats: a datagram that comes just as its flow ends is lost.
pub const IDLE: Duration = Duration::from_secs(77);

/// The most datagrams of a peer that wait for the tunnel.
pub const WAITING: usize = 128;

/// The most flows of a socket. A new one takes the place of the one that was silent for the longest time.
pub const MOST_FLOWS: usize = 1024;

/// How long a peer's datagrams are dropped after they went nowhere.
pub const REST: Duration = Duration::from_secs(1);

/// The longest payload, in bytes: IPv4's longest packet without its header and UDP's.
pub const LONGEST: usize = 65_507;

/// Tells the datagrams of a socket apart by who sent them.
#[derive(Debug)]
pub struct Flows {
    socket: Arc<UdpSocket>,
    known: HashMap<SocketAddr, Known>,
}

#[derive(Debug)]
struct Known {
    hand_on: mpsc::Sender<Vec<u8>>,
    heard: Instant,
}

/// One peer of a socket that has many.
#[derive(Debug)]
pub struct Peer {
    socket: Arc<UdpSocket>,
    address: SocketAddr,
    received: mpsc::Receiver<Vec<u8>>,
}

impl Flows {
    /// Those of a socket, which nobody else reads.
    pub fn of(socket: UdpSocket) -> Self {
        Self { socket: Arc::new(socket), known: HashMap::new() }
    }

    /// The next peer that has no flow; its first datagram waits in it. Hands on the datagrams of the others meanwhile, so it is to be called again at once.
    /// Nothing is lost when it is dropped before it is ready.
    ///
    /// # Errors
    /// When the socket cannot be read.
    pub async fn next(&mut self) -> io::Result<Peer> {
        loop {
            self.socket.readable().await?;
            let mut datagram = room();
            let received = self.socket.try_recv_from(&mut datagram);
            let (length, from) = match received {
                Ok(received) => received,
                // The second is what Windows tells of a datagram that was sent to nobody.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionReset
                    ) =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            if let Some(peer) = self.hand_on(from, cut(datagram, length)) {
                return Ok(peer);
            }
        }
    }

    /// `Some`: the peer was not known.
    fn hand_on(&mut self, from: SocketAddr, datagram: Vec<u8>) -> Option<Peer> {
        let datagram = match self.known.get_mut(&from) {
            None => datagram,
            Some(known) => {
                known.heard = Instant::now();
                match known.hand_on.try_send(datagram) {
                    // Too many wait: this one is lost.
                    Ok(()) | Err(TrySendError::Full(_)) => return None,
                    Err(TrySendError::Closed(datagram)) => datagram,
                }
            }
        };
        self.make_room();
        let (hand_on, received) = mpsc::channel(WAITING);
        let _ = hand_on.try_send(datagram);
        self.known.insert(from, Known { hand_on, heard: Instant::now() });
        Some(Peer { socket: self.socket.clone(), address: from, received })
    }

    fn make_room(&mut self) {
        if self.known.len() < MOST_FLOWS {
            return;
        }
        self.known.retain(|_, known| !known.hand_on.is_closed());
        if self.known.len() < MOST_FLOWS {
            return;
        }
        let quietest = self.known.iter().min_by_key(|(_, known)| known.heard);
        if let Some(peer) = quietest.map(|(peer, _)| *peer) {
            self.known.remove(&peer);
        }
    }
}

impl Peer {
    /// Drops what comes for [`REST`]. For a peer whose datagrams go nowhere: else each of them would begin a flow.
    pub async fn rest(mut self) {
        let drop_all = async { while self.received.recv().await.is_some() {} };
        // Whether there is nobody any more or the time is over.
        let _ = timeout(REST, drop_all).await;
    }

    /// Who; an IPv4 peer of a socket of both families as that.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.address.ip().to_canonical(), self.address.port())
    }
}

/// Room for any datagram. Taken when one has come, so that thousands of flows that wait need none.
fn room() -> Vec<u8> {
    vec![0; LONGEST]
}

fn cut(mut datagram: Vec<u8>, length: usize) -> Vec<u8> {
    datagram.truncate(length);
    datagram.shrink_to_fit();
    datagram
}

/// The error that the socket is ready for, if nobody has been told it yet; it is ready for the next one then.
fn pending_error(socket: &UdpSocket) -> io::Result<Option<io::Error>> {
    let error = socket.take_error()?;
    let none: io::Result<()> =
        socket.try_io(Interest::ERROR, || Err(io::ErrorKind::WouldBlock.into()));
    debug_assert!(none.is_err());
    Ok(error)
}

/// Where datagrams come from and go to.
pub trait Datagrams: Send {
    /// The next one; `None` when there will be none.
    ///
    /// # Errors
    /// What the system tells, such as that nobody listens where the last one went.
    fn receive(&mut self) -> impl Future<Output = io::Result<Option<Vec<u8>>>> + Send;
    /// What sends to the same place.
    fn sender(&self) -> impl Sender + 'static;
}

/// The other direction of [`Datagrams`].
pub trait Sender: Send + Sync {
    /// Sends one.
    ///
    /// # Errors
    /// What the system tells.
    fn send(&self, datagram: &[u8]) -> impl Future<Output = io::Result<()>> + Send;
}

impl Datagrams for Peer {
    async fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.received.recv().await)
    }

    fn sender(&self) -> impl Sender + 'static {
        ToPeer { socket: self.socket.clone(), address: self.address }
    }
}

struct ToPeer {
    socket: Arc<UdpSocket>,
    address: SocketAddr,
}

impl Sender for ToPeer {
    async fn send(&self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send_to(datagram, self.address).await.map(drop)
    }
}

/// A socket that is connected.
impl Datagrams for Arc<UdpSocket> {
    async fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            // What came back as undeliverable makes a socket ready for an error only.
            if self.ready(Interest::READABLE | Interest::ERROR).await?.is_error()
                && let Some(error) = pending_error(self)?
            {
                return Err(error);
            }
            let mut datagram = room();
            match self.try_recv(&mut datagram) {
                Ok(length) => return Ok(Some(cut(datagram, length))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn sender(&self) -> impl Sender + 'static {
        self.clone()
    }
}

impl Sender for Arc<UdpSocket> {
    async fn send(&self, datagram: &[u8]) -> io::Result<()> {
        UdpSocket::send(self, datagram).await.map(drop)
    }
}

/// Carries a flow over `stream` until it has been idle for [`IDLE`], or there are no more datagrams, or the far end has closed the stream. Dropping the
/// stream afterwards tells the far end.
///
/// `on_ready` is called when the far end says that its socket stands; the datagrams of this end do not wait for that.
///
/// # Errors
/// [`CarryError::Failed`] as the far end says it; [`CarryError::NearReset`] when nobody listens where the last datagram went, after which the far end can be
/// told by [`chunk::write_failure`]; [`CarryError::FarReset`] when the far end closes the stream before its socket stands, as one does that knows
/// no UDP.
pub async fn carry_datagrams(
    near: &mut impl Datagrams,
    stream: &mut (impl AsyncRead + AsyncWrite + Send + Unpin),
    meter: &impl Meter,
    on_ready: impl FnOnce() + Send,
) -> Result<(), CarryError> {
    let (from_tunnel, to_tunnel) = tokio::io::split(stream);
    let heard = Mutex::new(Instant::now());
    let sender = near.sender();
    tokio::select! {
        done = send(near, to_tunnel, meter, &heard) => done,
        done = receive(from_tunnel, &sender, meter, &heard, on_ready) => done,
        () = idle(&heard) => Ok(()),
    }
}

fn hear(heard: &Mutex<Instant>) {
    *heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
}

async fn idle(heard: &Mutex<Instant>) {
    loop {
        let until = *heard.lock().unwrap_or_else(PoisonError::into_inner) + IDLE;
        if until <= Instant::now() {
            return;
        }
        sleep_until(until).await;
    }
}

async fn send(
    near: &mut impl Datagrams,
    mut tunnel: impl AsyncWrite + Unpin,
    meter: &impl Meter,
    heard: &Mutex<Instant>,
) -> Result<(), CarryError> {
    while let Some(datagram) = near.receive().await.map_err(CarryError::NearReset)? {
        hear(heard);
        let mut frame = chunk::header(Kind::Data, datagram.len()).to_vec();
        frame.extend_from_slice(&datagram);
        tunnel.write_all(&frame).await.map_err(CarryError::Tunnel)?;
        tunnel.flush().await.map_err(CarryError::Tunnel)?;
        meter.sent(datagram.len() as u64);
    }
    Ok(())
}

async fn receive(
    mut tunnel: impl AsyncRead + Unpin,
    near: &impl Sender,
    meter: &impl Meter,
    heard: &Mutex<Instant>,
    on_ready: impl FnOnce(),
) -> Result<(), CarryError> {
    let mut on_ready = Some(on_ready);
    let mut datagram = Vec::new();
    loop {
        let (kind, length) = match chunk::read_header(&mut tunnel).await {
            Ok(header) => header,
            // A flow has no end that could be taken for another.
            Err(ChunkError::Reset(_)) if on_ready.is_none() => return Ok(()),
            Err(error) => return Err(CarryError::FarReset(error)),
        };
        match kind {
            Kind::Ready => {
                if let Some(call) = on_ready.take() {
                    call();
                }
            }
            Kind::End => return Ok(()),
            Kind::Failed => {
                let failure =
                    chunk::read_failure(&mut tunnel, length).await.map_err(CarryError::FarReset)?;
                return Err(CarryError::Failed(failure));
            }
            Kind::Data if length > LONGEST => {
                let error = io::Error::new(io::ErrorKind::InvalidData, "no datagram is so long");
                return Err(CarryError::FarReset(ChunkError::Reset(error)));
            }
            Kind::Data => {
                datagram.resize(length, 0);
                if tunnel.read_exact(&mut datagram).await.is_err() {
                    return Ok(());
                }
                hear(heard);
                // Whatever is told here is of an earlier one, or this one is lost: that may be.
                if near.send(&datagram).await.is_ok() {
                    meter.received(length as u64);
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
