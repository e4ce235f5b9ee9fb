//! The process with root's rights (`towline-helper`), its protocol, and its client.
//!
//! One helper a user, started on demand and shared by all of that user's programs. It takes a closed list of typed requests ([`protocol::Request`]), and
//! undoes what a program asked for when that program's connection ends, however it ends. It takes no paths and no commands, and has no setting.

mod channel;
pub mod client;
pub mod frame;
pub mod protocol;
pub mod server;
mod system;

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests;
