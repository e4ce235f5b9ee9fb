//! The cluster's services on this machine: a listener for each port of each service, and connections from there into the cluster.

mod accept;
mod datagrams;
mod ground;
mod route;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Mutex, Notify, watch};
use tokio_util::task::AbortOnDropHandle;
use towline_wire::Protocol;

pub(super) use self::accept::Dialer;
use self::accept::Door;
pub(super) use self::ground::{Ground, bind};
pub(super) use self::route::{Route, external, wanted_by, wanted_by_endpoints, wanted_by_plan};
use crate::event::{Listener, What};
use crate::names::{NameEntry, NamePort, Subject};

/// One port of one service, pod or host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) subject: Subject,
    pub(super) port: u16,
    pub(super) protocol: Protocol,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.subject, self.port, self.protocol.suffix())
    }
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
    pub(super) ground: Ground,
    /// Something was opened, closed, or pointed elsewhere.
    pub(super) changed: Notify,
    /// What is opened from now on was not in the plan, which has told what it lacks.
    beyond_plan: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    open: BTreeMap<Place, Open>,
    /// The port that a place had: it gets the same one when its service comes back, because a program has it in its environment.
    ports: BTreeMap<Place, u16>,
    /// Listeners that somebody else has opened: the API server's.
    beside: BTreeMap<Place, NamePort>,
}

struct Open {
    name: Option<String>,
    way: Way,
    /// Why it is not on its own port, where it should be.
    elsewhere: Option<String>,
}

enum Way {
    Listening(Opened),
    /// The local program answers there itself.
    Program {
        local: SocketAddr,
        route: Route,
    },
}

/// A listener, and where its connections go. Closed by being dropped.
pub(super) struct Opened {
    pub(super) local: SocketAddr,
    route: watch::Sender<Route>,
    /// Closed at once by being dropped, so that the port is free again before the next listener wants it.
    _doors: Vec<Door>,
    accepts: Vec<AbortOnDropHandle<()>>,
}

impl Opened {
    /// The same as dropping it, and waits until its ports are free.
    async fn close(self) {
        for accept in self.accepts {
            accept.abort();
            // Whichever way it ended.
            let _ = accept.await;
        }
    }

    /// Sends connections to come elsewhere.
    pub(super) fn point_to(&self, to: Route) {
        self.route.send_if_modified(|route| {
            let changed = *route != to;
            *route = to;
            changed
        });
    }
}

impl Open {
    fn point_to(&mut self, to: Route) {
        match &mut self.way {
            Way::Listening(opened) => opened.point_to(to),
            Way::Program { route, .. } => *route = to,
        }
    }

    fn as_port(&self, place: &Place) -> NamePort {
        let (local, target) = match &self.way {
            Way::Listening(opened) => (opened.local, opened.route.borrow().to_string()),
            Way::Program { local, route } => (*local, route.to_string()),
        };
        let by_variables_only = self.elsewhere.clone();
        let (port, protocol) = (place.port, place.protocol);
        NamePort { port, protocol, name: self.name.clone(), local, target, by_variables_only }
    }
}

impl Outbound {
    pub(super) fn new(dialer: Arc<Dialer>, ground: Ground) -> Self {
        let (changed, beyond_plan) = (Notify::new(), AtomicBool::new(false));
        Self { dialer, ground, changed, beyond_plan, inner: Mutex::default() }
    }

    /// Everything that the plan names has been opened.
    pub(super) fn planned_are_open(&self) {
        self.beyond_plan.store(true, Ordering::Relaxed);
    }

    /// Makes the listeners of `namespace` (none: of hosts outside the cluster) those that are `wanted`: opens, closes, and points to where the service
    /// is now.
    pub(super) async fn sync(&self, namespace: &str, wanted: Vec<Wanted>) {
        let mut inner = self.inner.lock().await;
        let gone: Vec<Place> = {
            let still: std::collections::BTreeSet<&Place> =
                wanted.iter().map(|wanted| &wanted.place).collect();
            let of_it = inner.open.keys().filter(|place| place.subject.namespace() == namespace);
            of_it.filter(|place| !still.contains(place)).cloned().collect()
        };
        for place in gone {
            if let Some(Open { way: Way::Listening(opened), .. }) = inner.open.remove(&place) {
                opened.close().await;
            }
            let (service, port) = (place.subject.to_string(), place.port);
            let protocol = place.protocol;
            self.dialer.chronicle.tell(What::ServiceRemoved { service, port, protocol });
        }
        for wanted in wanted {
            self.put(&mut inner, wanted).await;
        }
        drop(inner);
        self.changed.notify_one();
    }

    /// Opens a listener that is nobody's business but the caller's.
    pub(super) async fn unlisted(&self, place: &Place, route: Route) -> io::Result<Opened> {
        self.open(&self.ground, 0, place, route).await
    }

    /// The same on a free port of 127.0.0.1, whatever the names.
    pub(super) async fn unlisted_anywhere(
        &self,
        place: &Place,
        route: Route,
    ) -> io::Result<Opened> {
        self.open(&Ground::Ports, 0, place, route).await
    }

    /// Shows a listener that was opened by [`Self::unlisted`], or somewhere else, among the names.
    pub(super) async fn show(&self, place: Place, port: NamePort) {
        self.inner.lock().await.beside.insert(place, port);
        self.changed.notify_one();
    }

    /// What is open, by what it leads to; names are not known here.
    pub(super) async fn entries(&self) -> Vec<NameEntry> {
        let inner = self.inner.lock().await;
        let beside = inner.beside.iter().map(|(place, port)| (&place.subject, port.clone()));
        let open = inner.open.iter().map(|(place, open)| (&place.subject, open.as_port(place)));
        let mut entries: BTreeMap<&Subject, Vec<NamePort>> = BTreeMap::new();
        for (subject, port) in beside.chain(open) {
            entries.entry(subject).or_default().push(port);
        }
        let entry = |(subject, ports): (&Subject, Vec<NamePort>)| {
            let address = ports.first()?.local.ip();
            Some(NameEntry { subject: subject.clone(), address, names: Vec::new(), ports })
        };
        entries.into_iter().filter_map(entry).collect()
    }

    async fn put(&self, inner: &mut Inner, wanted: Wanted) {
        if let Some(open) = inner.open.get_mut(&wanted.place) {
            return open.point_to(wanted.route);
        }
        let Wanted { place, name, route } = wanted;
        let way = match self.ground.program(&place) {
            Some(local) => Way::Program { local, route },
            None => {
                let before = inner.ports.get(&place).copied().unwrap_or(0);
                match self.open(&self.ground, before, &place, route).await {
                    Ok(opened) => Way::Listening(opened),
                    Err(error) => {
                        let message = format!("{place} has no port on this machine: {error}");
                        return self.dialer.chronicle.tell(What::Warning { message });
                    }
                }
            }
        };
        let local = match &way {
            Way::Listening(opened) => opened.local,
            Way::Program { local, .. } => *local,
        };
        let elsewhere = match &way {
            Way::Listening(_) => self.ground.elsewhere(&place, local),
            Way::Program { .. } => None,
        };
        if let Some(why) = &elsewhere
            && self.beyond_plan.load(Ordering::Relaxed)
        {
            let message = format!(
                "{place} has come and cannot be reached by name: {why}. It is reached at {local}"
            );
            self.dialer.chronicle.tell(What::Warning { message });
        }
        inner.ports.insert(place.clone(), local.port());
        let (namespace, service) = (place.subject.namespace().to_owned(), place.subject.label());
        let (port, protocol) = (place.port, place.protocol);
        let listener =
            Listener { namespace, service, port, protocol, port_name: name.clone(), local };
        inner.open.insert(place, Open { name, way, elsewhere });
        self.dialer.chronicle.listener_opened(listener);
    }

    async fn open(
        &self,
        ground: &Ground,
        port: u16,
        place: &Place,
        route: Route,
    ) -> io::Result<Opened> {
        match place.protocol {
            Protocol::Tcp => {
                let (listeners, local) = ground.listen(place, port).await?;
                let (route, routes) = watch::channel(route);
                let doors: Vec<Door> = listeners.into_iter().map(Door::new).collect();
                let accepts = doors.iter().map(|door| {
                    let (place, dialer) = (place.clone(), self.dialer.clone());
                    let accept = accept::accept(door.entrance(), place, routes.clone(), dialer);
                    AbortOnDropHandle::new(tokio::spawn(accept))
                });
                Ok(Opened { local, route, accepts: accepts.collect(), _doors: doors })
            }
            Protocol::Udp => {
                let (sockets, local) = ground.datagrams(place, port)?;
                let (route, routes) = watch::channel(route);
                let takes = sockets.into_iter().map(|socket| {
                    let (place, dialer) = (place.clone(), self.dialer.clone());
                    let take = datagrams::take(socket, place, routes.clone(), dialer);
                    AbortOnDropHandle::new(tokio::spawn(take))
                });
                Ok(Opened { local, route, accepts: takes.collect(), _doors: Vec::new() })
            }
        }
    }
}

#[cfg(test)]
mod tests;
