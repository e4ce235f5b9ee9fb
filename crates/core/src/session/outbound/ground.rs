//! Where the listeners are put on this machine.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use tokio::net::{TcpListener, UdpSocket};
use towline_helper::client::{Helper, HelperError};
use towline_machine::LoopbackAddress;
use towline_wire::Protocol;

use super::Place;
use crate::names::{Addresses, HostsPlan, NETWORK, Subject, socket};
use crate::request::Names;

/// How many other addresses are tried for one that turns out to be taken.
const TRIES: usize = 4;

/// See the module.
pub(in crate::session) enum Ground {
    /// On free ports of 127.0.0.1, and of `[::1]` where there is one.
    Ports,
    /// On their own ports of addresses of their own.
    Hosts(Hosts),
}

/// The addresses of a session in hosts mode.
pub(in crate::session) struct Hosts {
    addresses: Mutex<Addresses>,
    /// What the local program stands in for, on the same ports.
    own: BTreeSet<Subject>,
    /// Ports that are listened on at no address, see [`HostsPlan::left`].
    left: BTreeSet<u16>,
    left_udp: BTreeSet<u16>,
    /// Where the names stand, and so whether there is a helper.
    names: Names,
    /// Whose address is settled, because something listens there.
    open: Mutex<BTreeSet<Subject>>,
    helper: RwLock<Option<Helper>>,
}

impl Ground {
    /// The one that the plan wants.
    pub(in crate::session) fn of(plan: Option<&HostsPlan>, names: Names) -> Self {
        let Some(plan) = plan else { return Self::Ports };
        let mut addresses = Addresses::new(plan.held.iter().copied());
        let (own, listening): (Vec<_>, Vec<_>) =
            plan.hosts.iter().partition(|host| host.is_program());
        for host in listening {
            addresses.decide(host.subject.clone(), host.address);
        }
        Self::Hosts(Hosts {
            addresses: Mutex::new(addresses),
            own: own.into_iter().map(|host| host.subject.clone()).collect(),
            left: plan.left.clone(),
            left_udp: plan.left_udp.clone(),
            names,
            open: Mutex::default(),
            helper: RwLock::default(),
        })
    }

    pub(in crate::session) fn hosts(&self) -> Option<&Hosts> {
        match self {
            Self::Ports => None,
            Self::Hosts(hosts) => Some(hosts),
        }
    }

    /// Where the local program itself answers for the place.
    pub(super) fn program(&self, place: &Place) -> Option<SocketAddr> {
        let own = self.hosts()?.own.contains(&place.subject);
        own.then(|| (Ipv4Addr::LOCALHOST, place.port).into())
    }

    /// Why the place, which is at `local`, is not on its own port there, although it has an address of its own.
    pub(super) fn elsewhere(&self, place: &Place, local: SocketAddr) -> Option<String> {
        self.hosts()?;
        (local.port() != place.port).then(|| match place.protocol {
            Protocol::Tcp => why_not(place.port),
            Protocol::Udp => why_not_udp(place.port),
        })
    }

    /// Takes datagrams for the place, as [`Self::listen`] listens.
    pub(super) fn datagrams(
        &self,
        place: &Place,
        before: u16,
    ) -> io::Result<(Vec<UdpSocket>, SocketAddr)> {
        let at = |ip: IpAddr, port| UdpSocket::from_std(socket::datagrams((ip, port).into())?);
        let sockets = match self {
            Self::Ports => {
                let v4 = Ipv4Addr::LOCALHOST.into();
                let first = at(v4, before).or_else(|_| at(v4, 0))?;
                let second = at(Ipv6Addr::LOCALHOST.into(), first.local_addr()?.port());
                std::iter::once(first).chain(second.ok()).collect()
            }
            Self::Hosts(hosts) => vec![hosts.datagrams(place, before)?],
        };
        let local = sockets[0].local_addr()?;
        Ok((sockets, local))
    }

    /// Listens for the place. `before` is the port that it had, where ports are any that is free.
    pub(super) async fn listen(
        &self,
        place: &Place,
        before: u16,
    ) -> io::Result<(Vec<TcpListener>, SocketAddr)> {
        match self {
            Self::Ports => bind(before),
            Self::Hosts(hosts) => {
                let listener = hosts.listen(place, before).await?;
                let local = listener.local_addr()?;
                Ok((vec![listener], local))
            }
        }
    }
}

impl Hosts {
    /// Whether the names stand in a hosts file of the session's own: nobody has rights for more.
    pub(in crate::session) fn has_own_file(&self) -> bool {
        self.names == Names::OwnHostsFile
    }

    pub(in crate::session) fn helper(&self) -> Option<Helper> {
        self.helper.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(in crate::session) fn set_helper(&self, helper: Option<Helper>) {
        *self.helper.write().unwrap_or_else(PoisonError::into_inner) = helper;
    }

    async fn listen(&self, place: &Place, before: u16) -> io::Result<TcpListener> {
        let address = self.addresses().of(&place.subject);
        let mut listening = self.listen_at(place, before, address).await;
        for _ in 0..TRIES {
            let is_taken =
                listening.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse);
            if !is_taken
                || self.open.lock().unwrap_or_else(PoisonError::into_inner).contains(&place.subject)
            {
                break;
            }
            // Another session has come in between plan and now; or somebody listens on all addresses, and no other will do.
            let address = self.addresses().another(&place.subject);
            listening = self.listen_at(place, before, address).await;
        }
        if self.has_own_file()
            && listening.is_err()
            && let Some(address) = self.addresses().of(&place.subject)
        {
            listening = any_port(address, before);
        }
        if listening.is_ok() {
            self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(place.subject.clone());
        }
        listening
    }

    /// Without its own port the place has another: no name leads there, but its variables do.
    fn datagrams(&self, place: &Place, before: u16) -> io::Result<UdpSocket> {
        let address = self
            .addresses()
            .of(&place.subject)
            .ok_or_else(|| io::Error::other("all addresses of 127.77.0.0/16 are given out"))?;
        let at =
            |port| UdpSocket::from_std(socket::datagrams(SocketAddr::new(address.ip(), port))?);
        let own = match self.left_udp.contains(&place.port) {
            true => Err(io::ErrorKind::AddrInUse.into()),
            false => at(place.port),
        };
        let socket = own.or_else(|_| at(before)).or_else(|_| at(0))?;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(place.subject.clone());
        Ok(socket)
    }

    fn addresses(&self) -> MutexGuard<'_, Addresses> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn listen_at(
        &self,
        place: &Place,
        before: u16,
        address: Option<LoopbackAddress>,
    ) -> io::Result<TcpListener> {
        let address = address
            .ok_or_else(|| io::Error::other("all addresses of 127.77.0.0/16 are given out"))?;
        if self.left.contains(&place.port) {
            return any_port(address, before);
        }
        let port = NonZeroU16::new(place.port).ok_or(io::ErrorKind::InvalidInput)?;
        let listener = match socket::listen(SocketAddr::new(address.ip(), place.port)) {
            // A port below `ip_unprivileged_port_start`, or an address that is not there yet (macOS).
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::AddrNotAvailable
                ) =>
            {
                let helper = self.helper().ok_or(error)?;
                helper.listen(address, port).await.map_err(|error| match error {
                    HelperError::PortTaken { .. } => {
                        io::Error::new(io::ErrorKind::AddrInUse, error)
                    }
                    error => io::Error::other(error),
                })?
            }
            listening => listening?,
        };
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    }
}

/// What is in the way of listening on a port at an address of a service's own.
fn why_not(port: u16) -> String {
    let nobodys = Ipv4Addr::new(NETWORK[0], NETWORK[1], 255, 254);
    match socket::listen((nobodys, port).into()).map_err(|error| error.kind()) {
        Err(io::ErrorKind::PermissionDenied) => format!("port {port} needs administrator's rights"),
        Err(_) => format!("port {port} of this machine is taken"),
        Ok(_) => format!("port {port} is left to the local program"),
    }
}

/// The same for a UDP port.
fn why_not_udp(port: u16) -> String {
    let nobodys = Ipv4Addr::new(NETWORK[0], NETWORK[1], 255, 254);
    match socket::datagrams((nobodys, port).into()).map_err(|error| error.kind()) {
        Err(io::ErrorKind::PermissionDenied) => {
            format!("UDP port {port} needs administrator's rights")
        }
        Err(_) => format!("UDP port {port} of this machine is taken"),
        Ok(_) => format!("UDP port {port} is left to the local program"),
    }
}

/// Listens on a free port of the address; `before` if that is free.
fn any_port(address: LoopbackAddress, before: u16) -> io::Result<TcpListener> {
    let at = |port| listen(SocketAddr::new(address.ip(), port));
    at(before).or_else(|_| at(0))
}

/// Listens on a free port of 127.0.0.1 (`port` if that is free), and on the same port of `[::1]` where that is possible.
pub(in crate::session) fn bind(port: u16) -> io::Result<(Vec<TcpListener>, SocketAddr)> {
    let v4 = listen((Ipv4Addr::LOCALHOST, port).into()).or_else(|error| match port {
        0 => Err(error),
        _ => listen((Ipv4Addr::LOCALHOST, 0).into()),
    })?;
    let local = v4.local_addr()?;
    let v6 = listen((Ipv6Addr::LOCALHOST, local.port()).into()).ok();
    Ok(([Some(v4), v6].into_iter().flatten().collect(), local))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::from_std(socket::listen(address)?)
}
