//! UDP ports that services cannot have at addresses of their own.
//!
//! The helper opens TCP ports only, so low UDP ports need a system on which they are free for everybody. Who has a UDP port is not looked up.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::Ipv4Addr;

use towline_wire::Protocol;

use super::{Listening, listed};
use crate::names::{NETWORK, Subject, socket};
use crate::plan::{Check, InboundPort};

/// The ports, each with the reason, as the end of a sentence.
pub(super) fn left(
    listening: &BTreeMap<Subject, Listening>,
    inbound: &[InboundPort],
) -> BTreeMap<u16, &'static str> {
    let nobodys = Ipv4Addr::new(NETWORK[0], NETWORK[1], 255, 254);
    let of_program = inbound.iter().filter(|port| port.protocol == Protocol::Udp);
    let mut left: BTreeMap<u16, &'static str> =
        of_program.map(|port| (port.local, "is left to your program")).collect();
    for port in listening.values().flat_map(|at| &at.udp) {
        if left.contains_key(port) {
            continue;
        }
        match socket::datagrams((nobodys, *port).into()).map_err(|error| error.kind()) {
            Err(ErrorKind::PermissionDenied) => left.insert(*port, "needs administrator's rights"),
            Err(ErrorKind::AddrInUse) => left.insert(*port, "is taken"),
            Ok(_) | Err(_) => None,
        };
    }
    left
}

/// Takes them from the services, and names from those that have no other port; one check for each that somebody misses.
pub(super) fn displace(
    listening: &mut BTreeMap<Subject, Listening>,
    left: &BTreeMap<u16, &'static str>,
) -> Vec<Check> {
    let mut displaced: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    listening.retain(|subject, at| {
        let was_program = at.is_program();
        at.udp.retain(|port| {
            let kept = !left.contains_key(port);
            if !kept {
                displaced.entry(*port).or_default().push(subject.to_string());
            }
            kept
        });
        was_program || !at.is_program()
    });
    let told = displaced.into_iter().map(|(port, subjects)| {
        let message = format!(
            "UDP port {port} of this machine {}, so {} is reached under it by the service variables only, on another port.",
            left[&port],
            listed(&subjects)
        );
        Check::warning("names", message, None)
    });
    told.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn a_port_that_cannot_be_had_is_told_and_the_others_stay() {
        let everywhere = UdpSocket::bind("0.0.0.0:0").unwrap();
        let taken = everywhere.local_addr().unwrap().port();
        let (own, free) = (60_011, 60_012);
        let udp = |ports: &[u16]| Listening { tcp: Vec::new(), udp: ports.to_vec() };
        let mut listening = BTreeMap::from([
            (Subject::service("shop", "statsd"), udp(&[taken])),
            (Subject::service("shop", "quic"), udp(&[own, free])),
            (Subject::service("shop", "program"), Listening::default()),
        ]);
        let inbound = InboundPort {
            remote: 8125,
            protocol: Protocol::Udp,
            local: own,
            name: None,
            services: vec![],
        };
        let left = left(&listening, &[inbound]);
        let told = displace(&mut listening, &left);
        let told: Vec<&str> = told.iter().map(|check| check.message.as_str()).collect();
        assert!(
            told.iter()
                .any(|told| told
                    .contains(&format!("{taken} of this machine is taken, so statsd.shop"))),
            "{told:?}"
        );
        assert!(
            told.iter().any(|told| told.contains("left to your program, so quic.shop")),
            "{told:?}"
        );
        let names: Vec<String> = listening.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["program.shop", "quic.shop"]);
        assert_eq!(listening[&Subject::service("shop", "quic")].udp, [free]);
    }
}
