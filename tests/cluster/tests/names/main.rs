//! The cluster's names on this machine, through its hosts file.

#![allow(clippy::unwrap_used)]

mod changes;
mod ends;
mod external;
mod held;
mod killed;
mod lost;
mod refused;
mod shop;
