//! What a session tells other programs of this user about its names: a file in its private directory, which the journal's entry leads to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use towline_machine::HostName;
use towline_wire::Protocol;
use towline_workload::WorkloadRef;

use super::Subject;
use crate::journal::{Entry, Journal, JournalError};
use crate::request::Names;
use crate::settings::write_private;

/// The file's name in the session's directory.
const FILE: &str = "names.json";

/// All names of a session, as they are at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionNames {
    /// The session's id, as in the hosts file.
    pub session: String,
    /// The kubeconfig's context.
    pub context: String,
    /// The API server's address.
    pub server: String,
    /// The redirected workload.
    pub workload: WorkloadRef,
    /// How the names come to programs.
    pub names: Names,
    /// The session's own hosts file, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts_file: Option<PathBuf>,
    /// The cluster's domain.
    pub domain: String,
    /// The services, pods and hosts.
    pub entries: Vec<NameEntry>,
}

/// One address, or in the mode without a hosts file one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameEntry {
    /// What it is in the cluster.
    pub subject: Subject,
    /// Its address on this machine.
    pub address: IpAddr,
    /// Its names in the hosts file, the shortest first; none where the hosts file is not used.
    pub names: Vec<HostName>,
    /// Its ports.
    pub ports: Vec<NamePort>,
}

/// A port of a [`NameEntry`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamePort {
    /// The number in the cluster.
    pub port: u16,
    /// What it speaks.
    #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
    pub protocol: Protocol,
    /// The service's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is on this machine.
    pub local: SocketAddr,
    /// Where connections go, seen from the pod: an address or a name, and a port.
    pub target: String,
    /// Why it is on another port here, which only the service's variables tell, where the session has names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_variables_only: Option<String>,
}

/// The names of a session cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("the names of the session cannot be {doing} ({}): {source}", path.display())]
pub struct StateError {
    doing: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl SessionNames {
    /// Writes them into the session's directory; a reader sees the old ones or the new ones.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, directory: &Path) -> Result<(), StateError> {
        let path = directory.join(FILE);
        let bytes = serde_json::to_vec(self).expect("plain values with text keys are always JSON");
        write_private(&path, &bytes).map_err(|source| StateError { doing: "written", path, source })
    }

    /// Reads them; `None` where the session has none yet.
    ///
    /// # Errors
    /// When the file is there and cannot be read or understood.
    pub fn read(directory: &Path) -> Result<Option<Self>, StateError> {
        let path = directory.join(FILE);
        let failed = |source| StateError { doing: "read", path: path.clone(), source };
        match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map(Some).map_err(|error| failed(error.into()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}

/// This user's sessions whose process runs, the oldest first, each with its names as far as it has told them.
///
/// # Errors
/// When the journal cannot be read. A session whose own file cannot be read counts as one that has told none.
pub fn running(journal: &Journal) -> Result<Vec<(Entry, Option<SessionNames>)>, JournalError> {
    let entries = journal.read_all()?.into_iter().filter(Entry::is_alive);
    let with_names = entries.map(|entry| {
        let names = SessionNames::read(&entry.directory)
            .inspect_err(|error| tracing::warn!(%error, "a session's names"))
            .ok()
            .flatten();
        (entry, names)
    });
    Ok(with_names.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use towline_workload::Kind;

    use super::*;

    #[test]
    fn names_come_back_and_what_is_broken_is_told() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(SessionNames::read(directory.path()).unwrap(), None);
        let local = "127.77.1.2:80".parse().unwrap();
        let names = SessionNames {
            session: "0123456789ab".into(),
            context: "work".into(),
            server: "https://a".into(),
            workload: WorkloadRef {
                kind: Kind::Deployment,
                namespace: "shop".into(),
                name: "cart".into(),
            },
            names: Names::HostsFile,
            hosts_file: None,
            domain: "cluster.local".into(),
            entries: vec![NameEntry {
                subject: Subject::External { host: "db.example.com".parse().unwrap() },
                address: "127.77.1.2".parse().unwrap(),
                names: vec!["db.example.com".parse().unwrap()],
                ports: vec![NamePort {
                    port: 80,
                    protocol: Protocol::Tcp,
                    name: None,
                    local,
                    target: "db.example.com:80".into(),
                    by_variables_only: None,
                }],
            }],
        };
        names.write(directory.path()).unwrap();
        assert_eq!(SessionNames::read(directory.path()).unwrap(), Some(names));
        std::fs::write(directory.path().join(FILE), "{").unwrap();
        let error = SessionNames::read(directory.path()).unwrap_err();
        assert!(error.to_string().contains("names.json"), "{error}");
    }
}
