//! The helper, as the programs of its user see it.
//!
//! ```no_run
//! # async fn example() -> Result<(), towline_helper::client::HelperError> {
//! use towline_helper::client::Helper;
//!
//! let helper = Helper::connect_or_start().await?;
//! let session = helper.session("0123456789ab".parse().expect("twelve digits"));
//! session.set_hosts(Vec::new()).await?;
//! session.clear().await
//! # }
//! ```

mod connection;
mod error;
mod locate;
mod start;

use std::net::TcpListener;
use std::num::NonZeroU16;
use std::sync::Arc;

use towline_machine::holder::{Claim, Holder, StopSignal, Unit};
use towline_machine::{HostsEntry, LoopbackAddress, SessionName};

pub use self::error::HelperError;
pub use self::locate::program;
use crate::protocol::{Answer, Request};
use crate::system;

/// A connection to the helper. Clones share it. When the last is dropped, or the process ends, the helper undoes what was asked for by it.
#[derive(Clone, Debug)]
pub struct Helper {
    connection: Arc<connection::Connection>,
}

impl Helper {
    /// Connects to this user's helper, if it runs. Asks nobody for anything.
    ///
    /// # Errors
    ///
    /// When a helper is there but cannot be spoken with: another version, somebody else's.
    pub async fn connect() -> Result<Option<Self>, HelperError> {
        let connection = connection::Connection::open().await?;
        Ok(connection.map(|connection| Self { connection: Arc::new(connection) }))
    }

    /// Connects to this user's helper, and starts it first if it does not run: directly where this process has the superuser's rights, else by the system's own
    /// prompt. The user should have read before what for. Callers of one process wait for each other, so that there is one prompt.
    ///
    /// # Errors
    ///
    /// [`HelperError::NotGranted`] when the user says no; see there for the others.
    pub async fn connect_or_start() -> Result<Self, HelperError> {
        let connection = connection::Connection::open_or_start().await?;
        Ok(Self { connection: Arc::new(connection) })
    }

    #[cfg(all(test, unix))]
    pub(crate) async fn connect_at(
        place: &crate::system::Place,
    ) -> Result<Option<Self>, HelperError> {
        let connection = connection::Connection::open_at(place).await?;
        Ok(connection.map(|connection| Self { connection: Arc::new(connection) }))
    }

    /// Whether [`Helper::connect_or_start`] would go ahead without a prompt because this process has the superuser's rights itself.
    pub fn needs_no_prompt() -> bool {
        system::is_elevated()
    }

    /// The lines of one session in the hosts file.
    pub fn session(&self, session: SessionName) -> HelperSession {
        HelperSession { helper: self.clone(), session }
    }

    /// A socket that listens on the port, also on one below 1024. Not blocking, as tokio wants it. It stays open when the helper goes. Refused on Windows, where
    /// a port that this process cannot have is not to be had by more rights.
    ///
    /// # Errors
    ///
    /// When the port is taken ([`HelperError::PortTaken`]), or the helper refuses or is gone.
    pub async fn listen(
        &self,
        address: LoopbackAddress,
        port: NonZeroU16,
    ) -> Result<TcpListener, HelperError> {
        self.connection.listen(address, port).await
    }

    /// Who holds the port, processes of other users included.
    ///
    /// # Errors
    ///
    /// When the helper cannot tell, refuses or is gone.
    pub async fn holder(
        &self,
        address: LoopbackAddress,
        port: NonZeroU16,
    ) -> Result<Vec<Holder>, HelperError> {
        match self.connection.call(Request::Holders { address, port }).await? {
            Answer::Holders(holders) => Ok(holders),
            other => Err(HelperError::unexpected(&other)),
        }
    }

    /// Tells this very process to end, if it still holds that port, and waits a few seconds for it. Tells whether it has ended: if not, it may take longer, or
    /// ignore SIGTERM.
    ///
    /// # Errors
    ///
    /// When it does not hold the port any more, is protected, or the helper refuses or is gone. Nothing has been stopped then.
    pub async fn stop_holder(&self, claim: Claim, signal: StopSignal) -> Result<bool, HelperError> {
        match self.connection.call(Request::Signal { claim, signal }).await? {
            Answer::Signalled { ended } => Ok(ended),
            other => Err(HelperError::unexpected(&other)),
        }
    }

    /// Stops the systemd service of this very process, if it still holds that port and belongs to that service. Returns when it has stopped.
    ///
    /// # Errors
    ///
    /// As [`Helper::stop_holder`].
    pub async fn stop_unit(&self, claim: Claim, unit: Unit) -> Result<(), HelperError> {
        self.done(Request::StopUnit { claim, unit }).await
    }

    /// Waits until the connection is lost, and tells why. The session's lines may still be in the hosts file then (the helper was killed): the next helper
    /// removes them. Sockets stay open.
    pub async fn gone(&self) -> HelperError {
        self.connection.gone().await
    }

    /// Whether the connection is lost.
    pub fn is_gone(&self) -> bool {
        self.connection.is_gone()
    }

    async fn done(&self, request: Request) -> Result<(), HelperError> {
        match self.connection.call(request).await? {
            Answer::Done => Ok(()),
            other => Err(HelperError::unexpected(&other)),
        }
    }
}

/// One session's lines in the hosts file. Dropping it removes them soon after; [`HelperSession::clear`] waits for it and tells whether it went well.
#[derive(Debug)]
pub struct HelperSession {
    helper: Helper,
    session: SessionName,
}

impl HelperSession {
    /// The session.
    pub fn name(&self) -> &SessionName {
        &self.session
    }

    /// Puts these entries, and no others, in the session's block. Done when the file is on disk.
    ///
    /// # Errors
    ///
    /// When the file cannot be changed, another connection has the session, there are too many names, or the helper is gone. The file is as it was then.
    pub async fn set_hosts(&self, entries: Vec<HostsEntry>) -> Result<(), HelperError> {
        self.helper.done(Request::Hosts { session: self.session.clone(), entries }).await
    }

    /// Removes the session's block. Nothing to do is no error.
    ///
    /// # Errors
    ///
    /// As [`HelperSession::set_hosts`].
    pub async fn clear(self) -> Result<(), HelperError> {
        self.set_hosts(Vec::new()).await
    }
}

impl Drop for HelperSession {
    fn drop(&mut self) {
        let session = self.session.clone();
        self.helper.connection.tell(Request::Hosts { session, entries: Vec::new() });
    }
}
