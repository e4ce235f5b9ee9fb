//! Standing in for a container: its ports, its place in the network, its environment.

mod datagrams;
mod dial;
mod files;
mod incoming;
mod listen;
mod names;
mod tunnel;
mod tunnels;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use towline_wire::control::Message;
use towline_wire::header::Variable;
use towline_wire::{KeyDigest, Protocol, SessionId};
use tracing::{info, warn};

use names::Names;
use tunnels::Tunnels;

/// How long the client is given to hear that the agent ends.
const FAREWELL: Duration = Duration::from_millis(100);

/// How long the connections are given to be reset.
const SETTLE: Duration = Duration::from_millis(50);

/// The most connections that have not shown the session's key yet.
const STRANGERS: usize = 16;

/// What an agent is told when it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The session that it serves.
    pub session: SessionId,
    /// The SHA-256 of the session's key.
    pub digest: KeyDigest,
    /// The port of the pod's loopback on which the client is awaited; 0 in tests.
    pub control_port: u16,
    /// The container's TCP ports.
    pub ports: Vec<u16>,
    /// The container's UDP ports.
    pub udp_ports: Vec<u16>,
    /// The environment as the process was given it.
    pub environment: Vec<Variable>,
    /// The pod's host name.
    pub host: String,
}

/// The agent cannot await its client, so it is of no use.
#[derive(Debug, thiserror::Error)]
#[error(
    "listening for the client on port {port} of the pod's loopback failed: {source}; another container of the pod may have the port"
)]
pub struct ControlPortError {
    port: u16,
    #[source]
    source: io::Error,
}

/// An agent whose ports are open.
#[derive(Debug)]
pub struct Agent {
    settings: Settings,
    control: Vec<TcpListener>,
    listeners: Vec<(u16, TcpListener)>,
    sockets: Vec<(u16, UdpSocket)>,
    not_listening: Vec<Message>,
}

/// What the parts of a running agent share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) tunnels: Tunnels,
    pub(crate) names: Names,
    /// What a new client is told about the ports.
    pub(crate) ports: Vec<Message>,
    /// True from the moment at which the agent is told to end.
    pub(crate) ending: watch::Receiver<bool>,
    pub(crate) strangers: Arc<Semaphore>,
    /// Room for connections that wait for a client.
    pub(crate) waiting: Semaphore,
    /// The same for those who send datagrams, so that these keep no connection from waiting.
    pub(crate) waiting_udp: Semaphore,
    /// Room for streams of files.
    pub(crate) files: Semaphore,
}

impl Agent {
    /// Opens the ports. A port of the container that cannot be opened is no error: the client is told, and the others work.
    ///
    /// # Errors
    /// When the control port cannot be opened.
    pub fn bind(settings: Settings) -> Result<Self, ControlPortError> {
        let control = listen::loopback(settings.control_port)
            .map_err(|source| ControlPortError { port: settings.control_port, source })?;
        let (tcp, udp) = (&settings.ports, &settings.udp_ports);
        let mut failed = Vec::new();
        let listeners =
            open(tcp, Protocol::Tcp, listen::listen, TcpListener::local_addr, &mut failed);
        let sockets =
            open(udp, Protocol::Udp, listen::datagrams, UdpSocket::local_addr, &mut failed);
        Ok(Self { settings, control, listeners, sockets, not_listening: failed })
    }

    /// Where the client is awaited.
    ///
    /// # Errors
    /// What the operating system answers.
    pub fn control_address(&self) -> io::Result<SocketAddr> {
        self.control[0].local_addr()
    }

    /// The container's TCP ports that are open.
    pub fn ports(&self) -> Vec<u16> {
        self.listeners.iter().map(|(port, _)| *port).collect()
    }

    /// The container's UDP ports that are open.
    pub fn udp_ports(&self) -> Vec<u16> {
        self.sockets.iter().map(|(port, _)| *port).collect()
    }

    /// Serves until `shutdown` resolves; then tells the client, resets what is still open, so that nobody takes a cut for an end, and returns
    /// within a fraction of a second.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let (ports, udp_ports) = (self.ports(), self.udp_ports());
        info!(
            "standing in: session {}, TCP ports {ports:?}, UDP ports {udp_ports:?}",
            self.settings.session
        );
        let tcp = ports.into_iter().map(|port| (port, Protocol::Tcp));
        let udp = udp_ports.into_iter().map(|port| (port, Protocol::Udp));
        let listening =
            tcp.chain(udp).map(|(port, protocol)| Message::Listening { port, protocol });
        let (end, ending) = watch::channel(false);
        let shared = Arc::new(Shared {
            tunnels: Tunnels::default(),
            names: Names::from_system(),
            ports: listening.chain(self.not_listening).collect(),
            ending,
            strangers: Arc::new(Semaphore::new(STRANGERS)),
            waiting: Semaphore::new(incoming::MOST_WAITING),
            waiting_udp: Semaphore::new(datagrams::MOST_WAITING),
            files: Semaphore::new(files::MOST),
            settings: self.settings,
        });
        let mut accepting = JoinSet::new();
        for listener in self.control {
            accepting.spawn(tunnel::await_clients(listener, shared.clone()));
        }
        for (port, listener) in self.listeners {
            accepting.spawn(incoming::accept_all(listener, port, shared.clone()));
        }
        for (port, socket) in self.sockets {
            accepting.spawn(datagrams::take_all(socket, port, shared.clone()));
        }
        shutdown.await;
        info!("ending");
        accepting.abort_all();
        end.send_replace(true);
        if shared.tunnels.current().is_some() {
            tokio::time::sleep(FAREWELL).await;
        }
        shared.tunnels.close();
        tokio::time::sleep(SETTLE).await;
    }
}

/// Opens the ports that can be opened, and adds what is to be told of the others.
fn open<T>(
    ports: &[u16],
    protocol: Protocol,
    way: impl Fn(SocketAddr) -> io::Result<T>,
    address: impl Fn(&T) -> io::Result<SocketAddr>,
    failed: &mut Vec<Message>,
) -> Vec<(u16, T)> {
    let mut opened = Vec::new();
    for &port in ports {
        match listen::everywhere(port, &way) {
            Ok(socket) => {
                let port = address(&socket).map_or(port, |address| address.port());
                opened.push((port, socket));
            }
            Err(error) => {
                warn!("cannot listen on {protocol} port {port}: {error}");
                let reason = error.to_string();
                failed.push(Message::NotListening { port, protocol, reason });
            }
        }
    }
    opened
}
