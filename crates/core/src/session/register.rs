//! The session's names: the block in the hosts file and the file for other programs of this user, kept as the listeners are.

use std::path::PathBuf;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use towline_helper::client::{Helper, HelperError, HelperSession};
use towline_machine::{HostsEntry, LoopbackAddress, SessionName};
use towline_wire::SessionId;

use super::chronicle::Chronicle;
use super::outbound::Outbound;
use super::own_hosts::{OwnHosts, OwnHostsError};
use crate::cluster::Cluster;
use crate::event::What;
use crate::names::{DOMAIN, NameEntry, SessionNames, table};
use crate::plan::Plan;
use crate::request::Names;

/// Services that come and go together, as in a deployment of many, are one change of the hosts file.
const TOGETHER: Duration = Duration::from_millis(200);

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
}

/// See the module.
pub(super) struct Register {
    outbound: Arc<Outbound>,
    chronicle: Arc<Chronicle>,
    session: SessionName,
    /// The target's namespace.
    home: String,
    domain: Lock<String>,
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
        if let Some(hosts) = self.outbound.ground.hosts()
            && hosts.has_own_file()
        {
            names.hosts_file = self.write_own(&mut written, &names.entries)?;
        } else if let Some(hosts) = self.outbound.ground.hosts() {
            let helper = hosts
                .helper()
                .ok_or_else(|| HelperError::Gone { reason: "it has ended".to_owned() })?;
            self.write_block(&mut written, &helper, &names.entries).await?;
        }
        let names = Arc::new(names);
        if written.names.as_ref() != Some(&names) {
            if let Some(Err(error)) =
                written.directory.as_ref().map(|directory| names.write(directory))
            {
                self.chronicle.tell(What::Warning { message: error.to_string() });
            }
            written.names = Some(names.clone());
            self.tell.send_replace(names);
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
        for (subject, its) in table.lines {
            // Both are in the order of the subjects; but a subject without a name is in one only.
            if let Ok(at) = names.entries.binary_search_by(|entry| entry.subject.cmp(&subject)) {
                names.entries[at].names = its;
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

    /// Writes after each change, for ever; and takes up again what the helper did, should that end.
    pub(super) async fn keep(self: Arc<Self>) {
        loop {
            let helper = self.outbound.ground.hosts().and_then(super::outbound::Hosts::helper);
            let gone = async {
                match &helper {
                    Some(helper) => helper.gone().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.outbound.changed.notified() => {
                    tokio::time::sleep(TOGETHER).await;
                    if let Err(error) = self.write().await
                        && !matches!(error, NamesError::Helper(HelperError::Gone { .. }))
                    {
                        let message = format!("The hosts file does not have the session's latest names: {error}");
                        self.chronicle.tell(What::Warning { message });
                    }
                }
                error = gone => self.begin_again(&error).await,
            }
        }
    }

    /// The helper has ended. A new one is started where nobody has to be asked.
    async fn begin_again(&self, error: &HelperError) {
        let Some(hosts) = self.outbound.ground.hosts() else { return };
        hosts.set_helper(None);
        self.written.lock().await.block = None;
        let again = match Helper::needs_no_prompt() {
            true => Helper::connect_or_start().await.map(Some),
            false => Helper::connect().await,
        };
        let helper = again.unwrap_or_else(|error| {
            tracing::warn!(%error, "no other helper");
            None
        });
        let Some(helper) = helper else {
            let message = format!(
                "{error}. Names and ports that the session has go on; what comes later gets none, and the session's lines stay in the hosts file until \
                 Towline next starts a helper. Connect again to have everything back."
            );
            return self.chronicle.tell(What::Warning { message: sentence(&message) });
        };
        hosts.set_helper(Some(helper));
        let outcome = match self.write().await {
            Ok(()) => "another has taken its place, and the hosts file is as before".to_owned(),
            Err(error) => format!(
                "another has taken its place, but the hosts file cannot be changed: {error}"
            ),
        };
        self.chronicle.tell(What::Warning { message: sentence(&format!("{error}; {outcome}")) });
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

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
