//! Ports that a session without rights cannot have, and what is missing therefore.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io::ErrorKind;
use std::net::Ipv4Addr;

use towline_machine::holder;

use super::listed;
use crate::names::{NETWORK, Subject, socket};
use crate::plan::Check;
use crate::ports::named;

/// See the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Beyond {
    /// Those that only an administrator may listen on.
    pub(super) low: BTreeSet<u16>,
    /// Those that somebody listens on at all addresses, and who, where that is known.
    pub(super) taken: BTreeMap<u16, Option<String>>,
}

impl Beyond {
    /// Tries the ports, at an address that no service has.
    pub(super) fn reach_of(ports: impl Iterator<Item = u16>) -> Self {
        let address = Ipv4Addr::new(NETWORK[0], NETWORK[1], 255, 254);
        let mut beyond = Self::default();
        for port in ports.collect::<BTreeSet<_>>() {
            match socket::listen((address, port).into()).map_err(|error| error.kind()) {
                Err(ErrorKind::PermissionDenied) => {
                    beyond.low.insert(port);
                }
                Err(ErrorKind::AddrInUse) => {
                    let holders = holder::find(address.into(), port).unwrap_or_default();
                    beyond.taken.insert(port, named(&holders));
                }
                Ok(_) | Err(_) => {}
            }
        }
        beyond
    }

    /// The ports.
    pub(super) fn all(&self) -> BTreeSet<u16> {
        self.low.iter().chain(self.taken.keys()).copied().collect()
    }

    /// One warning for everything that is missing, by port.
    pub(super) fn missing(&self, by_port: &BTreeMap<u16, Vec<Subject>>) -> Option<Check> {
        if by_port.is_empty() {
            return None;
        }
        let mut low = Vec::new();
        let mut message = String::new();
        for (port, subjects) in by_port {
            let subjects = subjects.iter().map(ToString::to_string).collect::<Vec<_>>();
            match self.taken.get(port) {
                None => low.push(format!("port {port} of {}", subjects.join(", "))),
                Some(by) => {
                    let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                    // Writing to a String does not fail.
                    let _ = write!(
                        message,
                        "Port {port} of this machine is taken{by}, so {} cannot be reached under it by name. ",
                        listed(&subjects)
                    );
                }
            }
        }
        if !low.is_empty() {
            let _ = write!(
                message,
                "Missing under their own ports, which need administrator's rights: {}. ",
                low.join("; ")
            );
        }
        message.push_str("They are reached by the service variables, on other ports.");
        let fix = "To have them by name, give Towline the rights (--hosts), or let every user listen on low ports (sysctl net.ipv4.ip_unprivileged_port_start).";
        let fix = (!low.is_empty()).then(|| fix.to_owned());
        Some(Check::warning("names", message, fix))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn what_is_missing_is_one_warning() {
        let redis = Subject::service("shop", "redis");
        let web = Subject::service("shop", "web");
        let beyond =
            Beyond { low: [80].into(), taken: [(6379, Some("redis-server".into()))].into() };
        assert_eq!(beyond.all(), [80, 6379].into());
        let by_port = [(80, vec![web.clone(), redis.clone()]), (6379, vec![redis])].into();
        let check = beyond.missing(&by_port).unwrap();
        assert_eq!(
            check.message,
            "Port 6379 of this machine is taken by redis-server, so redis.shop cannot be reached under it by name. Missing under their own ports, which \
             need administrator's rights: port 80 of web.shop, redis.shop. They are reached by the service variables, on other ports."
        );
        assert!(check.fix.unwrap().contains("--hosts"));
        assert_eq!(beyond.missing(&BTreeMap::new()), None);
        let check = beyond.missing(&[(6379, vec![web])].into()).unwrap();
        assert!(!check.message.contains("rights") && check.fix.is_none(), "{check:?}");
    }

    #[test]
    fn a_port_that_is_taken_everywhere_is_beyond_reach_and_a_free_one_is_not() {
        let taken = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let free = one.local_addr().unwrap().port();
        let beyond = Beyond::reach_of([port, free, port].into_iter());
        assert_eq!(beyond.all(), [port].into());
        assert!(beyond.low.is_empty());
    }
}
