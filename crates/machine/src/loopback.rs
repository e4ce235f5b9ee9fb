//! Addresses of this machine that nobody else can reach.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An address out of 127.0.0.0/8 (RFC 1122 §3.2.1.3), or ::1 (RFC 4291 §2.5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "IpAddr", into = "IpAddr")]
pub struct LoopbackAddress(IpAddr);

/// The address is not of the loopback.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an address of the loopback: 127.0.0.0/8 or ::1")]
pub struct NotLoopback(pub String);

impl LoopbackAddress {
    /// 127.0.0.1.
    pub const V4: Self = Self(IpAddr::V4(Ipv4Addr::LOCALHOST));
    /// ::1.
    pub const V6: Self = Self(IpAddr::V6(Ipv6Addr::LOCALHOST));

    /// The address.
    pub fn ip(self) -> IpAddr {
        self.0
    }
}

impl TryFrom<IpAddr> for LoopbackAddress {
    type Error = NotLoopback;

    fn try_from(address: IpAddr) -> Result<Self, Self::Error> {
        // `is_loopback` does not take ::ffff:127.0.0.1 for one, and neither do we.
        if address.is_loopback() {
            Ok(Self(address))
        } else {
            Err(NotLoopback(address.to_string()))
        }
    }
}

impl FromStr for LoopbackAddress {
    type Err = NotLoopback;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address: IpAddr = text.parse().map_err(|_| NotLoopback(text.to_owned()))?;
        address.try_into()
    }
}

impl From<LoopbackAddress> for IpAddr {
    fn from(address: LoopbackAddress) -> Self {
        address.0
    }
}

impl fmt::Display for LoopbackAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_the_loopback() {
        for good in ["127.0.0.1", "127.77.3.4", "127.255.255.254", "::1"] {
            assert_eq!(good.parse::<LoopbackAddress>().unwrap().to_string(), good);
        }
        for bad in [
            "10.0.0.1",
            "128.0.0.1",
            "0.0.0.0",
            "::",
            "::2",
            "::ffff:127.0.0.1",
            "localhost",
            "127.1",
            "",
        ] {
            assert!(bad.parse::<LoopbackAddress>().is_err(), "{bad}");
        }
    }
}
