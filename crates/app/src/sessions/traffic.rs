//! Connections and listeners on screen, and the test of a listener.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use towline_core::Protocol;
use towline_core::event::Snapshot;
use towline_core::names::{NameEntry, NamePort};
use towline_core::report::Code;
use towline_core::session::{self, ConnectionRoute, ListenerUse, Session};

use crate::report::failure;
use crate::view::{Connection, Listener, ListenerTest, Report};

/// A connection waits 10 s for a tunnel, and the agent as long for the service.
const ANSWER: Duration = Duration::from_secs(25);

pub(super) fn connections(core: &Session) -> Vec<Connection> {
    core.connections().into_iter().map(connection).collect()
}

fn connection(connection: session::Connection) -> Connection {
    let (inbound, from, to) = match connection.route {
        ConnectionRoute::Inbound { pod, remote, protocol, local } => {
            let to = match local {
                Some(local) => format!("127.0.0.1:{local}{}", protocol.suffix()),
                None => format!("port {remote}, which is not part of the session"),
            };
            (true, pod, to)
        }
        ConnectionRoute::Outbound { namespace, service, port, protocol } => {
            let to = format!("{service}.{namespace}:{port}{}", protocol.suffix());
            (false, "this machine".to_owned(), to)
        }
    };
    Connection {
        id: connection.id,
        inbound,
        from,
        to,
        opened: connection.opened.as_millisecond(),
        closed: connection.closed.map(|time| time.as_millisecond()),
        bytes_in: connection.bytes_in,
        bytes_out: connection.bytes_out,
        error: connection.error,
    }
}

/// The services on this machine, by namespace and name, with how much they are used.
pub(super) fn listeners(
    snapshot: &Snapshot,
    uses: &[ListenerUse],
    names: &[NameEntry],
) -> Vec<Listener> {
    let by_address: HashMap<(SocketAddr, Protocol), (&NameEntry, &NamePort)> = names
        .iter()
        .flat_map(|entry| {
            entry.ports.iter().map(move |port| ((port.local, port.protocol), (entry, port)))
        })
        .collect();
    let uses: HashMap<(&str, &str, u16, Protocol), &ListenerUse> = uses
        .iter()
        .map(|used| ((&*used.namespace, &*used.service, used.port, used.protocol), used))
        .collect();
    let listener = |listener: &towline_core::event::Listener| {
        let named = by_address.get(&(listener.local, listener.protocol)).copied();
        let (namespace, service) = (&*listener.namespace, &*listener.service);
        let used = uses.get(&(namespace, service, listener.port, listener.protocol));
        Listener {
            namespace: listener.namespace.clone(),
            service: listener.service.clone(),
            port: listener.port,
            protocol: listener.protocol.into(),
            port_name: listener.port_name.clone(),
            local: listener.local.to_string(),
            target: named.map(|(_, port)| port.target.clone()),
            names: named
                .into_iter()
                .flat_map(|(entry, _)| &entry.names)
                .map(ToString::to_string)
                .collect(),
            last_used: used.map(|used| used.last.as_millisecond()),
            connections: used.map_or(0, |used| used.connections),
        }
    };
    snapshot.listeners.iter().map(listener).collect()
}

/// Makes a connection to the listener, and waits for what the far end says to it.
pub(super) async fn test(
    core: &Session,
    namespace: &str,
    service: &str,
    port: u16,
) -> Result<ListenerTest, Report> {
    let snapshot = core.snapshot();
    let name = format!("{service}.{namespace}:{port}");
    let found = snapshot.listeners.iter().find(|listener| {
        // Of a UDP port nothing could be told but by its own answers.
        (&*listener.namespace, &*listener.service) == (namespace, service)
            && (listener.port, listener.protocol) == (port, Protocol::Tcp)
    });
    let local = found.map(|listener| listener.local).ok_or_else(|| {
        failure(Code::Input, format!("{name} is not on this machine any more."), None)
    })?;
    let (before, start) = (core.last_connection(), Instant::now());
    let took_ms = |start: Instant| u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let not = |why: String| ListenerTest {
        reached: false,
        took_ms: took_ms(start),
        message: format!("{name} was not reached: {why}."),
    };
    let asked = async {
        let tcp = TcpStream::connect(local).await?;
        let settled = core.settled(tcp.local_addr()?, before).await;
        Ok::<_, std::io::Error>((tcp, settled))
    };
    let answer = match tokio::time::timeout(ANSWER, asked).await {
        Err(_) => not(format!("nothing came within {} s", ANSWER.as_secs())),
        Ok(Err(error)) => not(format!("its listener {local} did not take the connection: {error}")),
        Ok(Ok((_, settled))) if settled.established.is_some() => {
            let took_ms = took_ms(start);
            let message = format!("{name} took the connection.");
            ListenerTest { reached: true, took_ms, message }
        }
        Ok(Ok((_, settled))) => {
            not(settled.error.unwrap_or_else(|| "the connection was closed at once".to_owned()))
        }
    };
    Ok(answer)
}
