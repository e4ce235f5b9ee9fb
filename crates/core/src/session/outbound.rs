//! The cluster's services on this machine: a listener for each port of each service, and connections from there into the cluster.

mod accept;
mod route;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

pub(super) use self::accept::Dialer;
use self::accept::Door;
pub(super) use self::route::{Route, wanted_by, wanted_by_plan};
use crate::event::{Listener, What};

/// One port of one service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) namespace: String,
    pub(super) service: String,
    pub(super) port: u16,
}

/// A port that is wanted on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) place: Place,
    pub(super) name: Option<String>,
    pub(super) route: Route,
}

pub(super) struct Outbound {
    dialer: Arc<Dialer>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    open: BTreeMap<Place, Opened>,
    /// The port that a place had: it gets the same one when its service comes back, because a program has it in its environment.
    ports: BTreeMap<Place, u16>,
}

/// A listener, and where its connections go. Closed by being dropped.
pub(super) struct Opened {
    pub(super) local: SocketAddr,
    route: watch::Sender<Route>,
    /// Closed at once by being dropped, so that the port is free again before the next listener wants it.
    _doors: Vec<Door>,
    _accepts: Vec<AbortOnDropHandle<()>>,
}

impl Opened {
    /// Sends connections to come elsewhere.
    pub(super) fn point_to(&self, to: Route) {
        self.route.send_if_modified(|route| {
            let changed = *route != to;
            *route = to;
            changed
        });
    }
}

impl Outbound {
    pub(super) fn new(dialer: Arc<Dialer>) -> Self {
        Self { dialer, inner: Mutex::default() }
    }

    /// Makes the listeners of `namespace` those that are `wanted`: opens, closes, and points to where the service is now.
    pub(super) fn sync(&self, namespace: &str, wanted: Vec<Wanted>) {
        let mut inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let gone: Vec<Place> = inner
            .open
            .keys()
            .filter(|place| {
                place.namespace == namespace && !wanted.iter().any(|wanted| wanted.place == **place)
            })
            .cloned()
            .collect();
        for place in gone {
            inner.open.remove(&place);
            let service = format!("{}.{}", place.service, place.namespace);
            self.dialer.chronicle.tell(What::ServiceRemoved { service, port: place.port });
        }
        for wanted in wanted {
            self.put(&mut inner, wanted);
        }
    }

    /// Opens a listener that is nobody's business but the caller's.
    pub(super) fn unlisted(&self, place: &Place, route: Route) -> io::Result<Opened> {
        self.open(0, place, route)
    }

    fn put(&self, inner: &mut Inner, wanted: Wanted) {
        if let Some(opened) = inner.open.get(&wanted.place) {
            return opened.point_to(wanted.route);
        }
        let before = inner.ports.get(&wanted.place).copied().unwrap_or(0);
        let opened = match self.open(before, &wanted.place, wanted.route) {
            Ok(opened) => opened,
            Err(error) => {
                let Place { namespace, service, port } = &wanted.place;
                let message =
                    format!("{service}.{namespace}:{port} has no port on this machine: {error}");
                return self.dialer.chronicle.tell(What::Warning { message });
            }
        };
        let local = opened.local;
        inner.ports.insert(wanted.place.clone(), local.port());
        inner.open.insert(wanted.place.clone(), opened);
        let Place { namespace, service, port } = wanted.place;
        let listener = Listener { namespace, service, port, port_name: wanted.name, local };
        self.dialer.chronicle.listener_opened(listener);
    }

    fn open(&self, port: u16, place: &Place, route: Route) -> io::Result<Opened> {
        let (listeners, local) = bind(port)?;
        let (route, routes) = watch::channel(route);
        let doors: Vec<Door> = listeners.into_iter().map(Door::new).collect();
        let accepts = doors.iter().map(|door| {
            let (place, dialer) = (place.clone(), self.dialer.clone());
            let accept = accept::accept(door.entrance(), place, routes.clone(), dialer);
            AbortOnDropHandle::new(tokio::spawn(accept))
        });
        Ok(Opened { local, route, _accepts: accepts.collect(), _doors: doors })
    }
}

/// Listens on a free port of 127.0.0.1 (`port` if that is free), and on the same port of `[::1]` where that is possible.
pub(super) fn bind(port: u16) -> io::Result<(Vec<TcpListener>, SocketAddr)> {
    let v4 = listen((Ipv4Addr::LOCALHOST, port).into()).or_else(|error| match port {
        0 => Err(error),
        _ => listen((Ipv4Addr::LOCALHOST, 0).into()),
    })?;
    let local = v4.local_addr()?;
    let v6 = listen((Ipv6Addr::LOCALHOST, local.port()).into()).ok();
    Ok(([Some(v4), v6].into_iter().flatten().collect(), local))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // So that a port can be had again while connections of its earlier listener linger.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests;
