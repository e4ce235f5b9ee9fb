//! The helper itself: who may speak, how long it lives, and that everything is undone.

#[cfg_attr(not(target_os = "macos"), path = "server/all_loopback.rs")]
#[cfg_attr(target_os = "macos", path = "server/lo0.rs")]
mod addresses;
mod connection;
mod hosts;
pub mod limits;
mod perform;

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use towline_machine::hosts_file::HostsFileError;

use self::hosts::Hosts;
use crate::protocol::{Refusal, RefusalCode};
use crate::system::{self, Home, Listener, Stream};
pub use crate::system::{Place, User};

/// The exit status of a helper whose user has one already.
pub const MADE_WAY: u8 = 3;

/// Where the helper works. Its program knows one only: [`Setup::of`].
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where it is spoken with.
    pub place: Place,
    /// The hosts file.
    pub hosts: PathBuf,
}

impl Setup {
    /// This machine, for the programs of one user.
    pub fn of(user: User) -> Self {
        Self { place: Place::of(user), hosts: towline_machine::hosts_file::path().into() }
    }
}

/// The helper cannot work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The user has one already.
    #[error("the helper of this user runs already")]
    Running,
    /// The place where it is spoken with cannot be made.
    #[error("cannot {doing} {}: {source}", .path.display())]
    Place {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system does not tell about this process.
    #[error("cannot tell when this process started: {0}")]
    Process(#[source] io::Error),
    /// What an earlier helper left cannot be cleaned.
    #[error("cannot clean what an earlier helper left: {0}")]
    Leftovers(#[source] HostsFileError),
    /// What was asked for by clients that are gone cannot be undone.
    #[error("the hosts file still has lines of ended sessions, which the next helper removes: {0}")]
    Undo(#[source] HostsFileError),
}

/// Serves the programs of one user, until none has spoken for a while or `stop` is done. Everything that was asked for is undone then, and the place is
/// gone.
///
/// # Errors
///
/// When the place cannot be made, the user has a helper already, or the hosts file cannot be cleaned before or after.
pub async fn serve(setup: Setup, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
    let home = Home::claim(&setup.place)?;
    let hosts = Hosts::new(&setup).map_err(ServeError::Process)?;
    // First what others left, so that no client sees it.
    hosts.clean().await.map_err(ServeError::Leftovers)?;
    let (listener, home) = home.listen()?;
    accept(&listener, &setup, &hosts, stop).await;
    drop(listener);
    let undone = hosts.undo_all().await.map_err(ServeError::Undo);
    hosts.addresses.withdraw();
    home.leave();
    undone
}

/// Takes connections until it is time to end, and waits until each has undone its own.
async fn accept(
    listener: &Listener,
    setup: &Setup,
    hosts: &Arc<Hosts>,
    stop: impl Future<Output = ()>,
) {
    let (end, ending) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut lonely = Instant::now() + limits::LONELY;
    tokio::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = connections.join_next() => lonely = Instant::now() + limits::LONELY,
            accepted = system::accept(listener) => {
                // An error is of that one connection, or passes (accept(2)); without a pause it would be asked for at once again.
                let Ok(stream) = accepted else {
                    tokio::time::sleep(limits::AFTER_FAILED_ACCEPT).await;
                    continue;
                };
                if let Some(refusal) = refused(&stream, &setup.place, connections.len()) {
                    connections.spawn(connection::refuse(stream, refusal));
                    continue;
                }
                connections.spawn(connection::run(stream, hosts.clone(), ending.clone()));
            }
            () = sleep_until(lonely), if connections.is_empty() => break,
        }
    }
    drop(end);
    while connections.join_next().await.is_some() {}
}

/// Why this one may not speak.
fn refused(stream: &Stream, place: &Place, others: usize) -> Option<Refusal> {
    if let Some(who) = system::stranger(stream, place) {
        let message = format!("this is the helper of user {}, and {who}", place.number());
        return Some(Refusal::new(RefusalCode::Stranger, message));
    }
    (others >= limits::CONNECTIONS).then(|| {
        let message = format!("there are {} connections already", limits::CONNECTIONS);
        Refusal::new(RefusalCode::TooMany, message)
    })
}

/// Tells whoever reads the helper's errors, if anybody still does.
fn say(words: &str) {
    use std::io::Write;
    let _ = writeln!(io::stderr(), "towline-helper: {words}");
}
