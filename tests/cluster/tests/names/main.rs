//! The cluster's names on this machine, through its hosts file.

#![allow(clippy::unwrap_used)]

mod changes;
mod ends;
mod killed;
mod refused;
mod shop;
