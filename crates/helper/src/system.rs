//! What differs between systems, behind one interface of a few names. All else in this crate is the same everywhere.
//!
//! | name | what it is |
//! |---|---|
//! | [`User`] | whose programs a helper serves, as the system numbers its users |
//! | [`Place`] | where that user's helper is met, and its private directory |
//! | [`Home`] | the place, as the helper that is there has it: claimed, listened at, left |
//! | [`Listener`], [`Stream`] | the channel; `accept`, `connect`, `read`, `write` |
//! | `stranger`, and what `connect` refuses | who is at the other end |
//! | [`Socket`], `listen`, `listener` | a listening socket that the helper opens and the client gets, where low ports are privileged |
//! | `is_elevated`, `apart` | the rights of this process, and a helper that is started without a prompt |
//!
//! Starting the helper by a prompt is in `client/start`, addresses are in `server`, and the hosts file's part is in `towline-machine`.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as own;
#[cfg(windows)]
use windows as own;

pub(crate) use own::{
    Home, Listener, Socket, Stream, accept, apart, connect, is_elevated, listen, listener, read,
    stranger, write,
};
pub use own::{Place, User};
