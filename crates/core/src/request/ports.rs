//! Which port of the container comes to which port of this machine.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `REMOTE[:LOCAL]`: a port of the container, by number or name, and the local port that stands in for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PortMapping {
    /// The container's port.
    pub remote: RemotePort,
    /// The local port; none: the same number.
    pub local: Option<u16>,
}

/// A container's port as the user or a service names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RemotePort {
    /// By number. Where the container has it for TCP and for UDP, both are meant; where it has neither, TCP.
    Number(u16),
    /// The UDP port of this number, as `8125/udp`.
    Udp(UdpPort),
    /// By the name that the container gives it.
    Name(String),
}

/// A UDP port; as text `8125/udp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UdpPort(pub NonZeroU16);

impl TryFrom<String> for UdpPort {
    type Error = InvalidPortMapping;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (number, protocol) = text.split_once('/').unwrap_or((&text, ""));
        let number = number.parse().ok().filter(|_| protocol.eq_ignore_ascii_case("udp"));
        number.map(Self).ok_or(InvalidPortMapping(text))
    }
}

impl From<UdpPort> for String {
    fn from(port: UdpPort) -> Self {
        port.to_string()
    }
}

impl fmt::Display for UdpPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/udp", self.0)
    }
}

/// The text is not a port mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a port mapping: REMOTE or REMOTE:LOCAL is expected, ports from 1 to 65535, REMOTE also by name, or for UDP with /udp (80, 80:8080, http:8080, 8125/udp:18125)"
)]
pub struct InvalidPortMapping(String);

impl FromStr for PortMapping {
    type Err = InvalidPortMapping;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidPortMapping(text.to_owned());
        let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
        let (remote, local) = match text.split_once(':') {
            None => (text, None),
            Some((remote, local)) => (remote, Some(number(local).ok_or_else(invalid)?)),
        };
        let udp = || UdpPort::try_from(remote.to_owned());
        let remote = match number(remote) {
            Some(port) => RemotePort::Number(port),
            None if remote.contains('/') => RemotePort::Udp(udp().map_err(|_| invalid())?),
            // A port's name is at most 15 of these, with a letter among them (RFC 6335 §5.1, as Kubernetes checks it).
            None if remote.len() <= 15
                && remote.bytes().any(|b| b.is_ascii_lowercase())
                && remote
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') =>
            {
                RemotePort::Name(remote.to_owned())
            }
            None => return Err(invalid()),
        };
        Ok(Self { remote, local })
    }
}

impl fmt::Display for RemotePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(port) => port.fmt(f),
            Self::Udp(port) => port.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn mappings() {
        let parse = |text: &str| text.parse::<PortMapping>();
        assert_eq!(
            parse("80").unwrap(),
            PortMapping { remote: RemotePort::Number(80), local: None }
        );
        let named = PortMapping { remote: RemotePort::Name("http".into()), local: Some(8080) };
        assert_eq!(parse("http:8080").unwrap(), named);
        let udp = parse("8125/UDP:18125").unwrap();
        assert_eq!((udp.remote.to_string().as_str(), udp.local), ("8125/udp", Some(18_125)));
        let text = serde_json::to_string(&udp).unwrap();
        assert_eq!(text, r#"{"remote":"8125/udp","local":18125}"#);
        assert_eq!(serde_json::from_str::<PortMapping>(&text).unwrap(), udp);
        for bad in
            ["", ":", "80:", ":80", "0", "65536", "80:0", "80:http", "HTTP", "80:80:80", "-1"]
        {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["/udp", "0/udp", "80/", "80/sctp", "http/udp", "80/udp/udp"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
