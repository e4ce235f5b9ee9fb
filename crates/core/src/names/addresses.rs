//! Which loopback address a service has.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use sha2::{Digest, Sha256};
use towline_machine::LoopbackAddress;

use super::Subject;

/// The first two bytes of every address that Towline gives out.
pub const NETWORK: [u8; 2] = [127, 77];

/// The last byte goes from 1 to 254: nobody wants to read 127.77.3.0 or 127.77.3.255 as an address.
const LAST: u32 = 254;

/// How many addresses there are.
const ALL: u32 = 256 * LAST;

/// Gives each subject an address of its own: always the same one as long as nobody else has it.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    given: BTreeMap<Subject, LoopbackAddress>,
    taken: BTreeSet<IpAddr>,
}

impl Addresses {
    /// With the addresses that others hold.
    pub fn new(held: impl IntoIterator<Item = LoopbackAddress>) -> Self {
        Self { given: BTreeMap::new(), taken: held.into_iter().map(LoopbackAddress::ip).collect() }
    }

    /// What was decided before.
    pub fn decide(&mut self, subject: Subject, address: LoopbackAddress) {
        self.taken.insert(address.ip());
        self.given.insert(subject, address);
    }

    /// The subject's address, the same in every call. It keeps it when it goes, so that it has the same when it comes back. None when all are given
    /// out.
    pub fn of(&mut self, subject: &Subject) -> Option<LoopbackAddress> {
        if let Some(address) = self.given.get(subject) {
            return Some(*address);
        }
        self.another(subject)
    }

    /// An address that the subject has not had, because somebody else turned out to be at the one that it had.
    pub fn another(&mut self, subject: &Subject) -> Option<LoopbackAddress> {
        let first = first(subject);
        let free = (0..ALL)
            .map(|step| address((first + step) % ALL))
            .find(|address| !self.taken.contains(address))?;
        let address = LoopbackAddress::try_from(free).expect("127.77.0.0/16 is of the loopback");
        self.decide(subject.clone(), address);
        Some(address)
    }
}

fn first(subject: &Subject) -> u32 {
    let digest = Sha256::digest(subject.to_string().as_bytes());
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % ALL
}

fn address(number: u32) -> IpAddr {
    let byte = |value: u32| u8::try_from(value).expect("below 256");
    let [a, b] = NETWORK;
    Ipv4Addr::new(a, b, byte(number / LAST), byte(number % LAST + 1)).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn service(number: u32) -> Subject {
        Subject::service("shop", format!("s{number}"))
    }

    #[test]
    fn a_service_has_the_same_address_in_every_session() {
        let redis = Subject::service("shop", "redis");
        let first = Addresses::default().of(&redis).unwrap();
        // Written out: users put such addresses into bookmarks and firewalls.
        assert_eq!(first.to_string(), "127.77.227.163");
        let mut addresses = Addresses::default();
        assert_ne!(addresses.of(&Subject::service("other", "redis")), Some(first));
        assert_eq!(addresses.of(&redis), Some(first));
        let mut beside = Addresses::new([first]);
        let second = beside.of(&redis).unwrap();
        assert_ne!(second, first);
        assert_eq!(beside.of(&redis), Some(second));
        let third = beside.another(&redis).unwrap();
        assert!(third != second && third != first);
        assert_eq!(beside.of(&redis), Some(third));
    }

    #[test]
    fn addresses_are_all_different_and_run_out_in_the_end() {
        let mut addresses = Addresses::default();
        let mut seen = BTreeSet::new();
        for number in 0..ALL {
            let address = addresses.of(&service(number)).unwrap();
            let IpAddr::V4(v4) = address.ip() else { panic!("{address}") };
            assert!(v4.octets()[..2] == NETWORK && !matches!(v4.octets()[3], 0 | 255), "{address}");
            assert!(seen.insert(address));
        }
        assert_eq!(addresses.of(&service(ALL)), None);
        assert!(addresses.of(&service(7)).is_some());
    }
}
