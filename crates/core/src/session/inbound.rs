//! Connections and datagrams from the cluster, handed to the local program.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket};
use towline_wire::chunk::{self, Kind};
use towline_wire::mux::MuxStream;
use towline_wire::{CarryError, Failure, FailureKind, Meter, Protocol, carry, carry_datagrams};

use super::chronicle::Chronicle;
use super::connections::{ConnectionRoute, Open};
use crate::event::What;
use crate::plan::InboundPort;

/// A program on this machine that does not take a connection within this time is stuck: its queue is full.
const CONNECT: Duration = Duration::from_secs(10);

/// A connection from the cluster, or the datagrams of one who sends some.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The pod that took it.
    pub(super) pod: String,
    /// The container's port.
    pub(super) remote: u16,
    pub(super) protocol: Protocol,
    /// Who, as seen in the pod.
    pub(super) peer: SocketAddr,
}

/// The container's port.
type Remote = (u16, Protocol);

pub(super) struct Inbound {
    /// Local ports by the container's.
    ports: BTreeMap<Remote, u16>,
    /// The container's ports whose local port did not answer last time.
    silent: Mutex<BTreeSet<Remote>>,
    chronicle: Arc<Chronicle>,
}

impl Inbound {
    pub(super) fn new(ports: &[InboundPort], chronicle: Arc<Chronicle>) -> Self {
        let ports = ports.iter().map(|port| ((port.remote, port.protocol), port.local)).collect();
        Self { ports, silent: Mutex::new(BTreeSet::new()), chronicle }
    }

    /// Carries one to its end.
    pub(super) async fn serve(&self, caller: Caller, mut stream: MuxStream) {
        let Caller { pod, remote, protocol, peer } = caller;
        let local = self.ports.get(&(remote, protocol)).copied();
        let route = ConnectionRoute::Inbound { pod, remote, protocol, local };
        let open = self.chronicle.counters.open(route, Some(peer));
        let Some(local) = local else {
            // Only an agent with other arguments than ours asks for this.
            let reason = format!("port {remote} is not part of the session");
            open.failed(&reason);
            let failure = failure(FailureKind::Refused, reason);
            let _ = chunk::write_failure(&mut stream, &failure).await;
            return;
        };
        let way = Way { remote: (remote, protocol), local };
        let ended = match protocol {
            Protocol::Tcp => self.connection(way, stream, &open).await,
            Protocol::Udp => self.datagrams(way, stream, &open).await,
        };
        if let Err(error) = ended {
            open.failed(&error);
            tracing::debug!(remote, %protocol, %peer, error, "what came from the cluster ended early");
        }
    }

    async fn connection(
        &self,
        way: Way,
        mut stream: MuxStream,
        open: &Open<'_>,
    ) -> Result<(), String> {
        let local = way.local;
        let tcp = match connect(local).await {
            Ok(tcp) => tcp,
            Err(error) => {
                let reason =
                    format!("nothing on this machine took the connection on port {local}: {error}");
                return Err(self.nobody_took_it(way, &error, reason, &mut stream).await);
            }
        };
        self.mark_answering(way);
        open.established();
        if chunk::write_mark(&mut stream, Kind::Ready).await.is_err() {
            return Ok(());
        }
        carry(tcp, stream, open, || ()).await.map_err(|error| error.to_string())
    }

    /// Nobody can know whether a program takes datagrams until one has come back as undeliverable, or an answer.
    async fn datagrams(
        &self,
        way: Way,
        mut stream: MuxStream,
        open: &Open<'_>,
    ) -> Result<(), String> {
        let local = way.local;
        let socket = async {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            socket.connect((Ipv4Addr::LOCALHOST, local)).await?;
            Ok(Arc::new(socket))
        };
        let mut socket = socket.await.map_err(|error: io::Error| error.to_string())?;
        open.established();
        if chunk::write_mark(&mut stream, Kind::Ready).await.is_err() {
            return Ok(());
        }
        let heard = Heard { inbound: self, way, open };
        match carry_datagrams(&mut socket, &mut stream, &heard, || ()).await {
            // None has come back as undeliverable.
            Ok(()) => {
                self.mark_answering(way);
                Ok(())
            }
            Err(CarryError::NearReset(error)) => {
                let reason = format!(
                    "nothing on this machine took the datagram on UDP port {local}: {error}"
                );
                Err(self.nobody_took_it(way, &error, reason, &mut stream).await)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Tells the agent and the user; gives the reason back.
    async fn nobody_took_it(
        &self,
        way: Way,
        error: &io::Error,
        reason: String,
        stream: &mut MuxStream,
    ) -> String {
        // An agent that is gone needs not be told.
        let _ = chunk::write_failure(stream, &failure(error.into(), reason.clone())).await;
        self.mark_silent(way, error);
        reason
    }

    fn silent(&self) -> MutexGuard<'_, BTreeSet<Remote>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark_silent(&self, way: Way, error: &io::Error) {
        let first = self.silent().insert(way.remote);
        if first {
            let (remote, protocol) = way.remote;
            let (local, reason) = (way.local, error.to_string());
            self.chronicle.tell(What::LocalPortSilent { remote, protocol, local, reason });
        }
    }

    fn mark_answering(&self, way: Way) {
        let was = self.silent().remove(&way.remote);
        if was {
            let ((remote, protocol), local) = (way.remote, way.local);
            self.chronicle.tell(What::LocalPortAnswers { remote, protocol, local });
        }
    }
}

/// Counts, and takes what the local program sends for an answer.
struct Heard<'a> {
    inbound: &'a Inbound,
    way: Way,
    open: &'a Open<'a>,
}

impl Meter for Heard<'_> {
    fn sent(&self, bytes: u64) {
        self.inbound.mark_answering(self.way);
        self.open.sent(bytes);
    }

    fn received(&self, bytes: u64) {
        self.open.received(bytes);
    }
}

#[derive(Clone, Copy)]
struct Way {
    remote: Remote,
    local: u16,
}

/// Connects to the program on this machine; it may listen on IPv4 or on IPv6 only.
async fn connect(port: u16) -> io::Result<TcpStream> {
    let to = |address: SocketAddr| async move {
        let connecting = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await;
        connecting.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    };
    let tcp = match to((Ipv4Addr::LOCALHOST, port).into()).await {
        Ok(tcp) => tcp,
        // What is said of the first is said: a machine without IPv6 would tell of that and not of the port.
        Err(first) => to((Ipv6Addr::LOCALHOST, port).into()).await.map_err(|_| first)?,
    };
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

fn failure(kind: FailureKind, message: String) -> Failure {
    Failure { kind, message }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_program_that_listens_on_ipv6_only_is_found() {
        let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else {
            return; // A machine without IPv6.
        };
        let port = listener.local_addr().unwrap().port();
        assert!(connect(port).await.unwrap().peer_addr().unwrap().is_ipv6());
    }

    #[tokio::test]
    async fn nobody_there_is_a_refusal() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert_eq!(connect(port).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
