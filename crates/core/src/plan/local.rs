//! The ports of this machine that connections from the cluster come to.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use towline_wire::Protocol;

use super::{Check, InboundPort};
use crate::names::socket;
use crate::ports::{self, Holder, TakenPort, Way, named, way};
use crate::report::Code;
use crate::request::Program;

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// A port of the loopback that does not answer by then has a full backlog or a firewall; it is not silent.
const ANSWER: Duration = Duration::from_millis(500);

/// One check for each local port.
pub(super) async fn checks(ports: &[InboundPort], program: Program) -> Vec<Check> {
    futures::future::join_all(ports.iter().map(|port| check(port, program))).await
}

async fn check(port: &InboundPort, program: Program) -> Check {
    let (remote, local) = (port.remote, port.local);
    match (port.protocol, program) {
        (Protocol::Tcp, Program::StartedByTowline) => free(remote, local).await,
        (Protocol::Tcp, Program::StartedByUser) => listening(local).await,
        (Protocol::Udp, program) => datagrams(remote, local, program),
    }
}

/// Somebody who has a UDP port cannot be asked whether he answers; who it is is not looked up.
fn datagrams(remote: u16, local: u16, program: Program) -> Check {
    let map = |to: u16| Some(format!("Map it to another: --port {remote}:{to}."));
    let tried = socket::datagrams((Ipv4Addr::LOCALHOST, local).into());
    let title = "local port";
    match (tried.map_err(|error| error.kind()), program) {
        (Err(ErrorKind::AddrInUse), Program::StartedByTowline) => {
            let message =
                format!("UDP port {local} of this machine, which your program needs, is taken.");
            let fix =
                format!("Stop what has it, or map the port to another: --port {remote}:LOCAL.");
            Check::blocked(Code::LocalPortTaken, title, message, Some(fix))
        }
        (Err(ErrorKind::AddrInUse), Program::StartedByUser) => {
            Check::passed(title, format!("Your program takes datagrams on UDP port {local}."))
        }
        (Err(ErrorKind::PermissionDenied), _) => {
            let message = format!(
                "UDP port {local} of this machine needs administrator's rights, which your program may not have."
            );
            Check::warning(title, message, map(local.saturating_add(8000)))
        }
        (_, Program::StartedByTowline) => Check::passed(
            title,
            format!("UDP port {local} of this machine is free for your program."),
        ),
        (_, Program::StartedByUser) => {
            let message =
                format!("Nothing takes datagrams on UDP port {local} of this machine yet.");
            Check::warning(title, message, Some("Start your program.".to_owned()))
        }
    }
}

async fn free(remote: u16, local: u16) -> Check {
    for address in LOOPBACK {
        match TcpListener::bind(SocketAddr::new(address, local)).await {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                return taken(remote, local, address).await;
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                // Who may not listen there is not told that somebody else does; who looks, is.
                if !holders(address, local).await.is_empty() {
                    return taken(remote, local, address).await;
                }
                let message = format!(
                    "Port {local} of this machine needs administrator's rights, which your program may not have."
                );
                let fix =
                    format!("Map it to another: --port {remote}:{}.", local.saturating_add(8000));
                return Check::warning("local port", message, Some(fix));
            }
            // No IPv6 here, then.
            Err(_) => {}
        }
    }
    Check::passed("local port", format!("Port {local} of this machine is free for your program."))
}

async fn taken(remote: u16, local: u16, address: IpAddr) -> Check {
    let holders = holders(address, local).await;
    let by = match named(&holders) {
        Some(names) => format!(" by {names}"),
        // A connection that comes from the port keeps it too, and is no listener.
        None => format!(" ({address})"),
    };
    let message = format!("Port {local} of this machine, which your program needs, is taken{by}.");
    let map = format!("map the port to another: --port {remote}:LOCAL");
    let fix = match holders.first().map(way) {
        None => format!("Stop what listens there, or {map}."),
        Some(Way::Never { instead, .. }) => format!("{instead} Or {map}."),
        Some(Way::Unit { unit }) => {
            format!(
                "Have the service stopped (`systemctl stop {unit}`) by --free-port {local}, or {map}."
            )
        }
        Some(Way::Signal) => format!("Have it stopped by --free-port {local}, or {map}."),
        Some(Way::Helper) => format!(
            "Have it stopped by --free-port {local}, which asks for administrator's rights, or {map}."
        ),
    };
    let wanted_by = vec!["your program".to_owned()];
    let taken = TakenPort { address, port: local, wanted_by, remote: Some(remote), holders };
    Check::blocked(Code::LocalPortTaken, "local port", message, Some(fix)).about(taken)
}

async fn holders(address: IpAddr, port: u16) -> Vec<Holder> {
    let found = ports::holders(address, port, None).await;
    found
        .inspect_err(|error| tracing::debug!(%error, port, "its holders are not known"))
        .unwrap_or_default()
}

async fn listening(local: u16) -> Check {
    for address in LOOPBACK {
        let connecting = TcpStream::connect(SocketAddr::new(address, local));
        if let Ok(Ok(_)) = tokio::time::timeout(ANSWER, connecting).await {
            return Check::passed(
                "local port",
                format!("Something listens on port {local} of this machine already."),
            );
        }
    }
    let message = format!(
        "Nothing listens on port {local} of this machine yet; until then callers in the cluster are refused."
    );
    Check::warning(
        "local port",
        message,
        Some("Start your program, before or after connecting.".to_owned()),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::Outcome;

    fn port(local: u16, protocol: Protocol) -> InboundPort {
        InboundPort { remote: 80, protocol, local, name: None, services: vec![] }
    }

    fn tcp(local: u16) -> InboundPort {
        port(local, Protocol::Tcp)
    }

    #[tokio::test]
    async fn a_udp_port_is_free_or_taken() {
        let socket = socket::datagrams((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let udp = port(socket.local_addr().unwrap().port(), Protocol::Udp);
        let checked = async |program| check(&udp, program).await;
        let taken = checked(Program::StartedByTowline).await;
        assert_eq!((taken.outcome, taken.code), (Outcome::Blocked, Some(Code::LocalPortTaken)));
        assert!(taken.message.starts_with("UDP port"), "{}", taken.message);
        assert_eq!(checked(Program::StartedByUser).await.outcome, Outcome::Passed);
        drop(socket);
        assert_eq!(checked(Program::StartedByTowline).await.outcome, Outcome::Passed);
        assert_eq!(checked(Program::StartedByUser).await.outcome, Outcome::Warning);
    }

    #[tokio::test]
    async fn a_taken_port_is_in_the_way_of_a_program_that_is_to_be_started() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = check(&tcp(port), Program::StartedByTowline).await;
        assert_eq!((taken.outcome, taken.code), (Outcome::Blocked, Some(Code::LocalPortTaken)));
        let about = taken.port.unwrap();
        assert_eq!((about.port, about.remote), (port, Some(80)));
        if cfg!(target_os = "linux") {
            assert_eq!(about.holders[0].pid, Some(std::process::id()));
            assert!(
                taken.message.contains(&format!("process {}", std::process::id())),
                "{}",
                taken.message
            );
        }
        assert_eq!(check(&tcp(port), Program::StartedByUser).await.outcome, Outcome::Passed);
        drop(listener);
        assert_eq!(check(&tcp(port), Program::StartedByTowline).await.outcome, Outcome::Passed);
        assert_eq!(check(&tcp(port), Program::StartedByUser).await.outcome, Outcome::Warning);
    }

    #[tokio::test]
    async fn a_port_that_is_taken_for_ipv6_only_is_taken() {
        let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
        let port = listener.local_addr().unwrap().port();
        assert_eq!(check(&tcp(port), Program::StartedByTowline).await.outcome, Outcome::Blocked);
    }
}
