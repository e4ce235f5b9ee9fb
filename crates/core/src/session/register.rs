//! The session's names: the block in the hosts file and the file for other programs of this user, kept as the listeners are.

mod keep;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use towline_helper::client::{Helper, HelperError, HelperSession};
use towline_machine::hosts_file::HostsFile;
use towline_machine::{HostName, HostsEntry, LoopbackAddress, SessionName};
use towline_wire::SessionId;

use super::chronicle::Chronicle;
use super::outbound::Outbound;
use super::own_hosts::{OwnHosts, OwnHostsError};
use crate::cluster::Cluster;
use crate::event::What;
use crate::journal::Journal;
use crate::names::{DOMAIN, NameEntry, SessionNames, Standing, running, standing, table};
use crate::plan::Plan;
use crate::request::Names;

/// How long the helper may take to remove the block at the end. It does so by itself when this process has ended.
const CLEAR: Duration = Duration::from_secs(5);

/// The names cannot be kept as the listeners are.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NamesError {
    /// The machine's hosts file, or low ports.
    #[error(transparent)]
    Helper(#[from] HelperError),
    /// The session's own hosts file.
    #[error(transparent)]
    Own(#[from] OwnHostsError),
    /// Another session has got names since the plan was made.
    #[error("{names} lead somewhere else since just now, for {session}")]
    Taken { names: String, session: String },
}

/// See the module.
pub(super) struct Register {
    outbound: Arc<Outbound>,
    chronicle: Arc<Chronicle>,
    session: SessionName,
    /// The target's namespace.
    home: String,
    domain: Lock<String>,
    /// Names that another session has for something else.
    without: Lock<BTreeSet<HostName>>,
    /// All but the entries.
    blank: SessionNames,
    tell: watch::Sender<Arc<SessionNames>>,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    directory: Option<PathBuf>,
    names: Option<Arc<SessionNames>>,
    /// The block in the hosts file, by the helper that wrote it.
    block: Option<(HelperSession, Vec<HostsEntry>)>,
    /// The session's own hosts file, where it has one.
    own: Option<OwnHosts>,
    /// What is no host name, and has been told.
    told: Vec<String>,
    /// The cluster has put the workload back, and names lead nowhere until the session is connected again.
    withdrawn: bool,
}

impl Register {
    pub(super) fn new(
        cluster: &Cluster,
        plan: &Plan,
        outbound: Arc<Outbound>,
        chronicle: Arc<Chronicle>,
        tell: watch::Sender<Arc<SessionNames>>,
    ) -> Self {
        Self {
            outbound,
            chronicle,
            session: name(&plan.session),
            home: plan.workload.namespace.clone(),
            domain: Lock::new(DOMAIN.to_owned()),
            without: Lock::new(plan.hosts.iter().flat_map(|hosts| hosts.without.clone()).collect()),
            blank: blank(cluster, plan),
            tell,
            written: Mutex::default(),
        }
    }

    /// Where the file for other programs is written, and the session's own hosts file.
    pub(super) async fn set_directory(&self, directory: PathBuf) {
        self.written.lock().await.directory = Some(directory);
    }

    /// The agent knows the cluster's domain.
    pub(super) fn set_domain(&self, domain: String) {
        *self.domain.lock().unwrap_or_else(PoisonError::into_inner) = domain;
    }

    /// The names as they were last told.
    pub(super) fn current(&self) -> Arc<SessionNames> {
        self.tell.borrow().clone()
    }

    /// Writes what has changed since the last time.
    ///
    /// # Errors
    /// When the hosts file cannot be changed.
    pub(super) async fn write(&self) -> Result<(), NamesError> {
        let mut written = self.written.lock().await;
        let mut names = self.names(&mut written.told).await;
        if written.withdrawn {
            names.entries.iter_mut().for_each(|entry| entry.names.clear());
        }
        match self.outbound.ground.hosts() {
            Some(hosts) if hosts.has_own_file() => {
                names.hosts_file = self.write_own(&mut written, &names.entries)?;
                self.publish(&mut written, names);
            }
            Some(hosts) => {
                let helper = hosts
                    .helper()
                    .ok_or_else(|| HelperError::Gone { reason: "it has ended".to_owned() })?;
                self.leave_to_others(&written, &mut names.entries)?;
                let entries = names.entries.clone();
                // First, so that whoever finds a line can find out where it leads.
                self.publish(&mut written, names);
                self.write_block(&mut written, &helper, &entries).await?;
            }
            None => self.publish(&mut written, names),
        }
        Ok(())
    }

    /// Takes the lines out of the hosts file, because they lead nowhere; the listeners stay as they are. [`Self::put_back`] undoes it.
    pub(super) async fn withdraw(&self) {
        self.written.lock().await.withdrawn = true;
        let written = tokio::time::timeout(CLEAR, self.write()).await;
        let error = match written {
            // A helper that has gone has taken the lines with it, or the next one does.
            Ok(Ok(()) | Err(NamesError::Helper(HelperError::Gone { .. }))) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it took longer than {} s", CLEAR.as_secs()),
        };
        let message = format!("The session's lines may still be in the hosts file: {error}");
        self.chronicle.tell(What::Warning { message });
    }

    /// Lets the names lead somewhere again with the next [`Self::write`].
    pub(super) async fn put_back(&self) {
        self.written.lock().await.withdrawn = false;
    }

    /// Tells other programs, and the session's handles.
    fn publish(&self, written: &mut Written, names: SessionNames) {
        let names = Arc::new(names);
        if written.names.as_ref() == Some(&names) {
            return;
        }
        if let Some(Err(error)) = written.directory.as_ref().map(|directory| names.write(directory))
        {
            self.chronicle.tell(What::Warning { message: error.to_string() });
        }
        written.names = Some(names.clone());
        self.tell.send_replace(names);
    }

    /// Takes out the names that another session has got for something else. The plan has looked for those that there were when it was made; one that
    /// is found before the first line is written is as good a reason to change nothing.
    fn leave_to_others(
        &self,
        written: &Written,
        entries: &mut [NameEntry],
    ) -> Result<(), NamesError> {
        let lines = written.block.as_ref().map(|(_, lines)| lines.as_slice()).unwrap_or_default();
        let known: BTreeSet<&HostName> = lines.iter().flat_map(|line| &line.names).collect();
        let of_entry = |entry: &NameEntry| {
            let new = entry.names.iter().filter(|name| !known.contains(name)).cloned();
            new.map(|name| (name, entry.subject.clone())).collect::<Vec<_>>()
        };
        let new: BTreeMap<HostName, _> = entries.iter().flat_map(of_entry).collect();
        if new.is_empty() {
            return Ok(());
        }
        // What cannot be read cannot be written either, and that is told.
        let Ok(file) = HostsFile::look() else { return Ok(()) };
        let sessions = running(&Journal::of_user()).unwrap_or_default();
        let sessions: Vec<SessionNames> =
            sessions.into_iter().filter_map(|(_, names)| names).collect();
        for found in standing(&file, &sessions, &new, &self.blank.server) {
            let Standing::Other { session, names } = found else { continue };
            let texts: Vec<&str> = names.iter().map(HostName::as_str).collect();
            let texts = texts.join(", ");
            if written.block.is_none() {
                return Err(NamesError::Taken { names: texts, session });
            }
            let message = format!(
                "{texts} came later here than for {session}, and leads there: this session does without"
            );
            self.chronicle.tell(What::Warning { message });
            for entry in entries.iter_mut() {
                entry.names.retain(|name| !names.contains(name));
            }
            self.without.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
        }
        Ok(())
    }

    async fn write_block(
        &self,
        written: &mut Written,
        helper: &Helper,
        entries: &[NameEntry],
    ) -> Result<(), HelperError> {
        let lines = lines(entries);
        let block =
            written.block.get_or_insert_with(|| (helper.session(self.session.clone()), Vec::new()));
        if block.1 == lines {
            return Ok(());
        }
        block.0.set_hosts(lines.clone()).await?;
        let names = lines.iter().map(|line| line.names.len()).sum();
        block.1 = lines;
        self.chronicle.tell(What::NamesChanged { names });
        Ok(())
    }

    /// Writes the session's own hosts file; the value is where that is.
    fn write_own(
        &self,
        written: &mut Written,
        entries: &[NameEntry],
    ) -> Result<Option<PathBuf>, OwnHostsError> {
        let Some(directory) = &written.directory else { return Ok(None) };
        let own = match &mut written.own {
            Some(own) => own,
            none => none.insert(OwnHosts::make(directory, self.session.clone())?),
        };
        let lines = lines(entries);
        let names = lines.iter().map(|line| line.names.len()).sum();
        if own.write(lines)? {
            self.chronicle.tell(What::NamesChanged { names });
        }
        Ok(Some(own.path().to_owned()))
    }

    async fn names(&self, told: &mut Vec<String>) -> SessionNames {
        let mut names =
            SessionNames { entries: self.outbound.entries().await, ..self.blank.clone() };
        names.domain.clone_from(&self.domain.lock().unwrap_or_else(PoisonError::into_inner));
        if names.names == Names::Variables {
            return names;
        }
        // A name that leads to no port of its own would lead to somebody else's.
        let has_own =
            |entry: &&NameEntry| entry.ports.iter().any(|port| port.local.port() == port.port);
        let subjects = names.entries.iter().filter(has_own).map(|entry| entry.subject.clone());
        let table = table(subjects, &self.home, &names.domain);
        let without = self.without.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (subject, its) in table.lines {
            // Both are in the order of the subjects; but a subject without a name is in one only.
            if let Ok(at) = names.entries.binary_search_by(|entry| entry.subject.cmp(&subject)) {
                names.entries[at].names =
                    its.into_iter().filter(|name| !without.contains(name)).collect();
            }
        }
        for text in table.impossible {
            if !told.contains(&text) {
                let message =
                    format!("{text:?} is no host name, and is left out of the hosts file");
                self.chronicle.tell(What::Warning { message });
                told.push(text);
            }
        }
        names
    }

    /// Removes the block from the hosts file.
    pub(super) async fn clear(&self) {
        let Some((block, _)) = self.written.lock().await.block.take() else { return };
        let cleared = tokio::time::timeout(CLEAR, block.clear()).await;
        let error = match cleared {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the helper did not answer within {} s", CLEAR.as_secs()),
        };
        let message = format!("The session's lines may still be in the hosts file: {error}");
        self.chronicle.tell(What::Warning { message });
    }
}

/// What is known before anything is open.
pub(super) fn blank(cluster: &Cluster, plan: &Plan) -> SessionNames {
    SessionNames {
        session: plan.session.to_string(),
        context: cluster.context().to_owned(),
        server: plan.cluster.server.clone(),
        workload: plan.workload.clone(),
        names: plan.request.names,
        hosts_file: None,
        domain: DOMAIN.to_owned(),
        entries: Vec::new(),
    }
}

/// What stands in a hosts file.
fn lines(entries: &[NameEntry]) -> Vec<HostsEntry> {
    let named = entries.iter().filter(|entry| !entry.names.is_empty());
    let lines = named.filter_map(|entry| {
        let address = LoopbackAddress::try_from(entry.address).ok()?;
        Some(HostsEntry { address, names: entry.names.clone() })
    });
    lines.collect()
}

fn name(session: &SessionId) -> SessionName {
    session.as_str().parse().expect("both are twelve lower-case hexadecimal digits")
}
