//! What stands in the hosts file already: other sessions' names, and the user's own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use towline_machine::HostName;
use towline_machine::hosts_file::{Block, HostsFile};

use super::{SessionNames, Subject};

/// A name of ours that stands in the hosts file already. Look-ups take the first line, and a new block comes last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In a line that no session wrote.
    Line {
        /// The line's number.
        number: usize,
        /// Where it leads.
        address: IpAddr,
        /// Our names in it.
        names: BTreeSet<HostName>,
    },
    /// In another session's block, for the same thing in the same cluster.
    Same {
        /// The other session, in words.
        session: String,
    },
    /// In another session's block, for something else, or for something that cannot be told.
    Other {
        /// The other session, in words.
        session: String,
        /// Our names in it.
        names: BTreeSet<HostName>,
    },
}

/// Finds our names in the hosts file. `known` are this user's other sessions; `server` is the API server's address, by which clusters are told apart.
/// Blocks whose helper is gone are passed over: the next helper that starts removes them.
pub fn standing(
    file: &HostsFile,
    known: &[SessionNames],
    ours: &BTreeMap<HostName, Subject>,
    server: &str,
) -> Vec<Standing> {
    let mut found = Vec::new();
    for line in &file.others {
        let parsed = line.names.iter().filter_map(|name| name.parse::<HostName>().ok());
        let names: BTreeSet<HostName> = parsed.filter(|name| ours.contains_key(name)).collect();
        if !names.is_empty() {
            found.push(Standing::Line { number: line.number, address: line.address, names });
        }
    }
    for block in file.blocks.iter().filter(|block| !block.is_stale()) {
        let theirs = known.iter().find(|session| session.session == block.session.as_str());
        found.extend(of_block(block, theirs, ours, server));
    }
    found
}

fn of_block(
    block: &Block,
    theirs: Option<&SessionNames>,
    ours: &BTreeMap<HostName, Subject>,
    server: &str,
) -> Option<Standing> {
    let in_both = block
        .entries
        .iter()
        .flat_map(|entry| &entry.names)
        .filter_map(|name| ours.get_key_value(name));
    let in_both: Vec<(&HostName, &Subject)> = in_both.collect();
    if in_both.is_empty() {
        return None;
    }
    let leads_to = |name: &HostName| {
        let session = theirs.filter(|session| session.server == server)?;
        session.entries.iter().find(|entry| entry.names.contains(name)).map(|entry| &entry.subject)
    };
    let differ = in_both.iter().filter(|(name, subject)| leads_to(name) != Some(subject));
    let names: BTreeSet<HostName> = differ.map(|(name, _)| (*name).clone()).collect();
    let session = match (theirs, &block.owner) {
        (Some(session), _) => {
            format!("your session on {} in context {}", session.workload, session.context)
        }
        (None, Some(owner)) => format!("session {} of user {}", block.session, owner.uid),
        (None, None) => format!("session {}", block.session),
    };
    Some(if names.is_empty() {
        Standing::Same { session }
    } else {
        Standing::Other { session, names }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use towline_machine::hosts_file::{Owner, apply};
    use towline_machine::{HostsEntry, LoopbackAddress};
    use towline_workload::{Kind, WorkloadRef};

    use super::*;
    use crate::names::NameEntry;
    use crate::request::Names;

    const THEIRS: &str = "0123456789ab";

    fn name(text: &str) -> HostName {
        text.parse().unwrap()
    }

    fn ours() -> BTreeMap<HostName, Subject> {
        let redis = Subject::service("shop", "redis");
        ["redis", "redis.shop"].map(|text| (name(text), redis.clone())).into()
    }

    /// A hosts file in which a session of this process's has `redis`.
    fn file(before: &str) -> HostsFile {
        let entry =
            HostsEntry { address: LoopbackAddress::V4, names: vec![name("redis"), name("cart")] };
        let written =
            apply(before.as_bytes(), &THEIRS.parse().unwrap(), &Owner::own(0).unwrap(), &[entry]);
        HostsFile::parse(&written)
    }

    fn known(server: &str, namespace: &str) -> SessionNames {
        let workload =
            WorkloadRef { kind: Kind::Deployment, namespace: "shop".into(), name: "cart".into() };
        let entry = NameEntry {
            subject: Subject::service(namespace, "redis"),
            address: LoopbackAddress::V4.ip(),
            names: vec![name("redis")],
            ports: Vec::new(),
        };
        SessionNames {
            session: THEIRS.into(),
            context: "work".into(),
            server: server.into(),
            workload,
            names: Names::HostsFile,
            hosts_file: None,
            domain: "cluster.local".into(),
            entries: vec![entry],
        }
    }

    #[test]
    fn a_line_of_the_users_own_comes_first() {
        let file = HostsFile::parse(b"127.0.0.1 localhost\n10.1.2.3 cache Redis # mine\n");
        let names = [name("redis")].into();
        let address = "10.1.2.3".parse().unwrap();
        assert_eq!(
            standing(&file, &[], &ours(), "a"),
            [Standing::Line { number: 2, address, names }]
        );
    }

    #[test]
    fn the_same_service_in_another_session_is_harmless_and_another_is_not() {
        let file = file("127.0.0.1 localhost\n");
        let of = |known: &[SessionNames]| standing(&file, known, &ours(), "https://a").remove(0);
        assert!(matches!(of(&[known("https://a", "shop")]), Standing::Same { .. }));
        let names: BTreeSet<HostName> = [name("redis")].into();
        for other in [known("https://b", "shop"), known("https://a", "staging")] {
            let session = "your session on deployment/cart (namespace shop) in context work";
            let Standing::Other { session: told, names: theirs } = of(&[other]) else { panic!() };
            assert!(told.starts_with(&session[..20]) && theirs == names, "{told}");
        }
        // Another user's cannot be read.
        let Standing::Other { session, .. } = of(&[]) else { panic!() };
        assert_eq!(session, "session 0123456789ab of user 0");
        assert!(standing(&file, &[], &BTreeMap::new(), "a").is_empty());
    }
}
