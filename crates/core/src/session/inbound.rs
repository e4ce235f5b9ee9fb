//! Connections from the cluster, handed to the local program.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpStream;
use towline_wire::chunk::{self, Kind};
use towline_wire::mux::MuxStream;
use towline_wire::{Failure, FailureKind, carry};

use super::chronicle::Chronicle;
use super::connections::ConnectionRoute;
use crate::event::What;
use crate::plan::InboundPort;

/// A program on this machine that does not take a connection within this time is stuck: its queue is full.
const CONNECT: Duration = Duration::from_secs(10);

pub(super) struct Inbound {
    /// Local ports by the container's.
    ports: BTreeMap<u16, u16>,
    /// The container's ports whose local port did not answer last time.
    silent: Mutex<BTreeSet<u16>>,
    chronicle: Arc<Chronicle>,
}

impl Inbound {
    pub(super) fn new(ports: &[InboundPort], chronicle: Arc<Chronicle>) -> Self {
        let ports = ports.iter().map(|port| (port.remote, port.local)).collect();
        Self { ports, silent: Mutex::new(BTreeSet::new()), chronicle }
    }

    /// Carries one connection to its end.
    pub(super) async fn serve(
        &self,
        pod: &str,
        remote: u16,
        peer: SocketAddr,
        mut stream: MuxStream,
    ) {
        let local = self.ports.get(&remote).copied();
        let route = ConnectionRoute::Inbound { pod: pod.to_owned(), remote, local };
        let open = self.chronicle.counters.open(route, Some(peer));
        let Some(local) = local else {
            // Only an agent with other arguments than ours asks for this.
            let reason = format!("port {remote} is not part of the session");
            open.failed(&reason);
            let failure = failure(FailureKind::Refused, reason);
            let _ = chunk::write_failure(&mut stream, &failure).await;
            return;
        };
        let tcp = match connect(local).await {
            Ok(tcp) => tcp,
            Err(error) => {
                let reason =
                    format!("nothing on this machine took the connection on port {local}: {error}");
                open.failed(&reason);
                let _ = chunk::write_failure(&mut stream, &failure((&error).into(), reason)).await;
                self.mark_silent(remote, local, &error);
                return;
            }
        };
        self.mark_answering(remote, local);
        open.established();
        if chunk::write_mark(&mut stream, Kind::Ready).await.is_err() {
            return;
        }
        if let Err(error) = carry(tcp, stream, &open, || ()).await {
            open.failed(&error.to_string());
            tracing::debug!(remote, %peer, %error, "a connection from the cluster ended early");
        }
    }

    fn mark_silent(&self, remote: u16, local: u16, error: &io::Error) {
        let first =
            self.silent.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(remote);
        if first {
            self.chronicle.tell(What::LocalPortSilent { remote, local, reason: error.to_string() });
        }
    }

    fn mark_answering(&self, remote: u16, local: u16) {
        let was =
            self.silent.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&remote);
        if was {
            self.chronicle.tell(What::LocalPortAnswers { remote, local });
        }
    }
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
