//! The process with root's rights (`towline-helper`), its protocol, and its client.
//!
//! One helper a user, started on demand and shared by all of that user's programs. It takes a closed list of typed requests ([`protocol::Request`]), and
//! undoes what a program asked for when that program's connection ends, however it ends. It takes no paths and no commands, and has no setting.

#[cfg(unix)]
mod channel;
pub mod client;
pub mod frame;
#[cfg(unix)]
pub mod place;
pub mod protocol;
#[cfg(unix)]
pub mod server;

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests;
