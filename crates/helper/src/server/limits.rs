//! How much a user's programs may ask for.

use std::time::Duration;

/// Connections at once.
pub const CONNECTIONS: usize = 32;
/// Names of one session.
pub const NAMES: usize = 20_000;
/// Sessions of one connection.
pub const SESSIONS: usize = 64;
/// Sockets that one connection is given. They are the client's, which has its own limit of open files.
pub const SOCKETS: usize = 65_536;
/// Calls of one connection that take long, at once.
pub const SLOW_CALLS: usize = 8;
/// The whole of a frame whose beginning has come, and a client's hello.
pub const FRAME: Duration = Duration::from_secs(10);
/// What the helper sends is taken within this.
pub const SEND: Duration = Duration::from_secs(10);
/// The helper lives that long without a client.
pub const LONELY: Duration = Duration::from_secs(10);
/// A process that was told to end is waited for.
pub const STOP: Duration = Duration::from_secs(5);
/// Another helper that has the hosts file is waited for.
pub const LOCK: Duration = Duration::from_secs(10);

pub(super) const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);
