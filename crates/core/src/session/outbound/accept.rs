//! Takes connections of the local program and carries them to the cluster.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use k8s_openapi::api::core::v1::Endpoints;
use kube::Api;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;
use towline_wire::mux::MuxStream;
use towline_wire::{CarryError, Protocol, carry};

use super::{Place, Route};
use crate::event::What;
use crate::session::board::{Board, PATIENCE};
use crate::session::chronicle::Chronicle;
use crate::session::connections::ConnectionRoute;

/// A place that cannot be reached is told of once in this time; a program that tries on and on would fill the history.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// After a failed accept (no file descriptors, mostly).
const BREATHE: Duration = Duration::from_millis(50);

pub(in crate::session) struct Dialer {
    client: kube::Client,
    board: Arc<Board>,
    pub(super) chronicle: Arc<Chronicle>,
    told: Mutex<BTreeMap<Place, Instant>>,
}

impl Dialer {
    pub(in crate::session) fn new(
        client: kube::Client,
        board: Arc<Board>,
        chronicle: Arc<Chronicle>,
    ) -> Self {
        Self { client, board, chronicle, told: Mutex::default() }
    }

    /// Opens a stream to the place, over whichever tunnel stands.
    pub(in crate::session) async fn dial(
        &self,
        place: &Place,
        route: &Route,
    ) -> Result<MuxStream, String> {
        let (host, port) = match route {
            Route::Address { ip, port } => (ip.to_string(), *port),
            Route::Name { host, port } => (host.clone(), *port),
            Route::Endpoints { host, port_name, fallback } => {
                let port = self.endpoint_port(place, port_name.as_deref()).await;
                (host.clone(), port.unwrap_or(*fallback))
            }
        };
        let mut last = String::new();
        // A tunnel can be gone and not be known to be yet. The second one is another, or there is none.
        for _ in 0..2 {
            let Some(streams) = self.board.wait().await else {
                return Err(format!(
                    "there was no tunnel to the cluster for {} s",
                    PATIENCE.as_secs()
                ));
            };
            match streams.dial(&host, port, place.protocol).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error.to_string(),
            }
        }
        Err(last)
    }

    async fn carry(&self, tcp: TcpStream, place: &Place, route: &Route) {
        let open = self.chronicle.counters.open(place.as_route(), tcp.peer_addr().ok());
        let stream = match self.dial(place, route).await {
            Ok(stream) => stream,
            Err(reason) => {
                // A reset, not an end: the program must not take it for an answer.
                let _ = tcp.set_zero_linger();
                open.failed(&reason);
                return self.tell(place, reason);
            }
        };
        match carry(tcp, stream, &open, || open.established()).await {
            Ok(()) => {}
            Err(CarryError::Failed(failure)) => {
                open.failed(&failure.message);
                self.tell(place, failure.message)
            }
            Err(error) => {
                open.failed(&error.to_string());
                tracing::debug!(?place, %error, "a connection to the cluster ended early")
            }
        }
    }

    pub(super) fn tell(&self, place: &Place, reason: String) {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let recently = told.get(place).is_some_and(|at| now - *at < TELL_AGAIN);
        if recently {
            return;
        }
        told.insert(place.clone(), now);
        self.chronicle.tell(What::DialFailed { to: place.to_string(), reason });
    }

    async fn endpoint_port(&self, place: &Place, name: Option<&str>) -> Option<u16> {
        let api: Api<Endpoints> = Api::namespaced(self.client.clone(), place.subject.namespace());
        let label = place.subject.label();
        let read = tokio::time::timeout(Duration::from_secs(5), api.get_opt(&label)).await;
        let endpoints = read.ok()?.ok()??;
        let ports = endpoints
            .subsets
            .into_iter()
            .flatten()
            .flat_map(|subset| subset.ports.into_iter().flatten());
        let mut named = ports.filter(|port| {
            port.name.as_deref() == name
                && Protocol::of(port.protocol.as_deref()) == Some(place.protocol)
        });
        named.next().and_then(|port| u16::try_from(port.port).ok())
    }
}

impl Place {
    pub(super) fn as_route(&self) -> ConnectionRoute {
        ConnectionRoute::Outbound {
            namespace: self.subject.namespace().to_owned(),
            service: self.subject.label(),
            port: self.port,
            protocol: self.protocol,
        }
    }
}

/// A listener that is closed, and its port free, when this is dropped; not when the task that accepts on it has noticed.
pub(super) struct Door(Arc<Mutex<Option<TcpListener>>>);

/// Where a task takes a [`Door`]'s connections.
pub(super) struct Entrance(Arc<Mutex<Option<TcpListener>>>);

impl Door {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self(Arc::new(Mutex::new(Some(listener))))
    }

    pub(super) fn entrance(&self) -> Entrance {
        Entrance(self.0.clone())
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        drop(self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
    }
}

impl Entrance {
    /// The next connection; `None` when the door is closed.
    async fn accept(&self) -> Option<io::Result<TcpStream>> {
        std::future::poll_fn(|cx| {
            let listener = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match listener.as_ref().map(|listener| listener.poll_accept(cx)) {
                None => Poll::Ready(None),
                Some(accepted) => accepted.map(|accepted| Some(accepted.map(|(tcp, _)| tcp))),
            }
        })
        .await
    }
}

/// Takes connections until the door is closed; those that are under way go on.
pub(super) async fn accept(
    entrance: Entrance,
    place: Place,
    route: watch::Receiver<Route>,
    dialer: Arc<Dialer>,
) {
    while let Some(accepted) = entrance.accept().await {
        let Ok(tcp) = accepted else {
            tokio::time::sleep(BREATHE).await;
            continue;
        };
        // Small requests must not wait for the answer to the one before (Nagle's algorithm).
        let _ = tcp.set_nodelay(true);
        let (place, dialer) = (place.clone(), dialer.clone());
        let route = route.borrow().clone();
        tokio::spawn(async move { dialer.carry(tcp, &place, &route).await });
    }
}
