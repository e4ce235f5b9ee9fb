//! The part that talks to a cluster.

mod evict;
pub(crate) mod observe;
pub(crate) mod pods;
pub(crate) mod put_back;
pub(crate) mod replace;
pub(crate) mod request;
pub(crate) mod restore;
mod stuck;
pub(crate) mod sweep;
pub(crate) mod wait;
