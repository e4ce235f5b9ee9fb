//! Hosts outside the cluster.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use towline_machine::HostName;
use towline_machine::host_name::InvalidHostName;

/// A host outside the cluster that is reached from the pod; written `NAME:PORT` or `NAME:PORT,PORT`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExternalHost {
    /// Its name.
    pub name: HostName,
    /// Its TCP ports.
    pub ports: Vec<u16>,
}

/// The text is not an external host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExternalHost {
    /// It has another form.
    #[error("'{0}' is not NAME:PORT or NAME:PORT,PORT")]
    Form(String),
    /// It has no ports, or the port 0.
    #[error("{0} needs ports from 1 to 65535")]
    Ports(String),
    /// Its name is none.
    #[error(transparent)]
    Name(#[from] InvalidHostName),
}

impl ExternalHost {
    /// A host by its name and its ports.
    ///
    /// # Errors
    /// When the name is none, or there are no ports, or one of them is 0.
    pub fn new(name: &str, ports: Vec<u16>) -> Result<Self, InvalidExternalHost> {
        if ports.is_empty() || ports.contains(&0) {
            return Err(InvalidExternalHost::Ports(name.to_owned()));
        }
        Ok(Self { name: name.parse()?, ports })
    }

    /// Adds it to others; where its name is among them, its ports.
    pub fn add_to(self, hosts: &mut Vec<Self>) {
        match hosts.iter_mut().find(|known| known.name == self.name) {
            Some(known) => {
                let new = self.ports.into_iter().filter(|port| !known.ports.contains(port));
                let new: Vec<u16> = new.collect();
                known.ports.extend(new);
            }
            None => hosts.push(self),
        }
    }
}

impl FromStr for ExternalHost {
    type Err = InvalidExternalHost;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || InvalidExternalHost::Form(text.to_owned());
        let (name, ports) = text.split_once(':').ok_or_else(form)?;
        let ports: Result<Vec<u16>, _> = ports.split(',').map(|port| port.trim().parse()).collect();
        Self::new(name.trim(), ports.map_err(|_| form())?)
    }
}

impl fmt::Display for ExternalHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        write!(f, "{}:{}", self.name, ports.join(","))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ExternalHost, InvalidExternalHost> {
        text.parse()
    }

    #[test]
    fn what_is_written_is_read_and_written_again() {
        let host = parse(" DB.example.com : 5432, 5433").unwrap();
        assert_eq!((host.name.as_str(), &host.ports[..]), ("db.example.com", &[5432, 5433][..]));
        assert_eq!(host.to_string(), "db.example.com:5432,5433");
        assert_eq!(parse(&host.to_string()), Ok(host));
    }

    #[test]
    fn what_is_none_says_why() {
        for (text, why) in [
            ("db.example.com", "is not NAME:PORT"),
            ("db.example.com:", "is not NAME:PORT"),
            ("db.example.com:http", "is not NAME:PORT"),
            ("db.example.com:70000", "is not NAME:PORT"),
            ("db.example.com:0", "needs ports from 1"),
            ("10.0.0.7:5432", "is not a host name"),
            ("a_b:5432", "is not a host name"),
            (":5432", "is not a host name"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn ports_of_one_name_come_together() {
        let mut all = Vec::new();
        for text in ["a.example:1,2", "b.example:3", "a.example:2,4"] {
            parse(text).unwrap().add_to(&mut all);
        }
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(all, ["a.example:1,2,4", "b.example:3"]);
    }
}
