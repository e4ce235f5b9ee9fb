//! The sessions' lines in the hosts file, and whose connection answers for them.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::spawn_blocking;
use towline_machine::hosts_file::{self, HostsFile, HostsFileError, Lock, Owner};
use towline_machine::{HostsEntry, SessionName};

use super::addresses::Addresses;
use super::{Setup, limits};
use crate::protocol::{Refusal, RefusalCode};

/// Numbers of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ConnectionId(u64);

pub(super) struct Hosts {
    path: PathBuf,
    root: PathBuf,
    owner: Owner,
    state: Mutex<State>,
    /// Where the names lead to.
    pub(super) addresses: Addresses,
}

#[derive(Default)]
struct State {
    connections: u64,
    /// Who answers for a session. One whose connection is gone but whose lines could not be removed has nobody.
    sessions: HashMap<SessionName, Option<ConnectionId>>,
}

impl Hosts {
    pub(super) fn new(setup: &Setup) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            path: setup.hosts.clone(),
            root: setup.place.common().to_owned(),
            owner: Owner::own(setup.place.number())?,
            state: Mutex::default(),
            addresses: Addresses::default(),
        }))
    }

    /// Removes what helpers left that were killed, of all users.
    pub(super) async fn clean(self: &Arc<Self>) -> Result<(), HostsFileError> {
        self.blocking(|hosts| {
            let lock = Lock::take(&hosts.root, limits::LOCK)?;
            match hosts_file::sweep(&hosts.path, &lock).and_then(|()| {
                hosts_file::edit(&hosts.path, &lock, |bytes| {
                    let file = HostsFile::parse(bytes);
                    let stale: Vec<_> = file.stale().map(|block| &block.session).collect();
                    hosts_file::remove_where(bytes, |session| stale.contains(&session))
                })
            }) {
                // Nothing of ours is in such a file, and whether it can be changed is the question of the first session.
                Err(
                    HostsFileError::Missing { .. }
                    | HostsFileError::Link { .. }
                    | HostsFileError::NotAFile { .. }
                    | HostsFileError::TooLarge { .. },
                ) => Ok(()),
                Err(error @ HostsFileError::ReadOnly { .. }) => {
                    super::say(&format!("lines of an earlier helper stay: {error}"));
                    Ok(())
                }
                other => other.map(drop),
            }
        })
        .await
    }

    pub(super) fn connect(&self) -> ConnectionId {
        let mut state = self.state();
        state.connections += 1;
        ConnectionId(state.connections)
    }

    /// Gives the session's block these entries.
    pub(super) async fn set(
        self: &Arc<Self>,
        connection: ConnectionId,
        session: SessionName,
        entries: Vec<HostsEntry>,
    ) -> Result<(), Refusal> {
        let names: usize = entries.iter().map(|entry| entry.names.len()).sum();
        if names > limits::NAMES || entries.len() > limits::NAMES {
            let most = limits::NAMES;
            let message =
                format!("a session has at most {most} names in the hosts file; these are {names}");
            return Err(Refusal::new(RefusalCode::TooMany, message));
        }
        let empty = names == 0;
        if !self.take(connection, &session, empty)? {
            return Ok(());
        }
        let name = session.clone();
        let done = self
            .blocking(move |hosts| {
                // Before the names lead there.
                hosts.addresses.provide(entries.iter().map(|entry| entry.address)).map_err(
                    |error| {
                        Refusal::new(RefusalCode::System, format!("cannot add an address: {error}"))
                    },
                )?;
                hosts
                    .edit(|bytes| hosts_file::apply(bytes, &name, &hosts.owner, &entries))
                    .map_err(|error| Refusal::new(RefusalCode::HostsFile, error))
            })
            .await;
        if empty && done.is_ok() {
            self.state().sessions.remove(&session);
        }
        done
    }

    /// Makes the connection answer for the session. False: there is nothing to do, since nobody does and nothing is wanted.
    fn take(
        &self,
        connection: ConnectionId,
        session: &SessionName,
        empty: bool,
    ) -> Result<bool, Refusal> {
        let mut state = self.state();
        let has = state.sessions.get(session).copied();
        match has {
            Some(Some(other)) if other != connection => {
                let message = format!("another program has the session {session}");
                return Err(Refusal::new(RefusalCode::SessionTaken, message));
            }
            None if empty => return Ok(false),
            _ => {}
        }
        let owned = state.sessions.values().filter(|owner| **owner == Some(connection)).count();
        if has != Some(Some(connection)) && owned >= limits::SESSIONS {
            let message = format!("a program has at most {} sessions", limits::SESSIONS);
            return Err(Refusal::new(RefusalCode::TooMany, message));
        }
        state.sessions.insert(session.clone(), Some(connection));
        Ok(true)
    }

    /// Removes what the connection answers for.
    pub(super) async fn undo(self: &Arc<Self>, connection: ConnectionId) {
        self.disown(connection);
        if let Err(error) = self.remove_orphans().await {
            super::say(&format!("lines of an ended session stay for now: {error}"));
        }
    }

    fn disown(&self, connection: ConnectionId) {
        let mut state = self.state();
        for owner in state.sessions.values_mut().filter(|owner| **owner == Some(connection)) {
            *owner = None;
        }
    }

    /// Removes what is left, when all connections are gone.
    pub(super) async fn undo_all(self: &Arc<Self>) -> Result<(), HostsFileError> {
        self.remove_orphans().await
    }

    /// Removes the lines of the sessions that nobody answers for: those whose removal failed before, too.
    async fn remove_orphans(self: &Arc<Self>) -> Result<(), HostsFileError> {
        let orphans: Vec<SessionName> = {
            let state = self.state();
            let orphans = state.sessions.iter().filter(|(_, owner)| owner.is_none());
            orphans.map(|(session, _)| session.clone()).collect()
        };
        if orphans.is_empty() {
            return Ok(());
        }
        let gone = orphans.clone();
        let removed = self
            .blocking(move |hosts| {
                hosts
                    .edit(|bytes| hosts_file::remove_where(bytes, |session| gone.contains(session)))
            })
            .await;
        // A file that is not there any more has no lines of ours.
        if matches!(removed, Ok(()) | Err(HostsFileError::Missing { .. })) {
            let mut state = self.state();
            state.sessions.retain(|session, owner| owner.is_some() || !orphans.contains(session));
            return Ok(());
        }
        removed
    }

    fn edit(&self, change: impl Fn(&[u8]) -> Vec<u8>) -> Result<(), HostsFileError> {
        let lock = Lock::take(&self.root, limits::LOCK)?;
        hosts_file::edit(&self.path, &lock, change).map(drop)
    }

    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> T {
        let hosts = self.clone();
        spawn_blocking(move || work(&hosts)).await.expect("the work does not panic")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
