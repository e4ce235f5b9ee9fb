//! The way to a cluster, and plans, against an API server that is a listener on the loopback and answers what a test wants. So every odd
//! cluster can be had; real ones are in tests/cluster.
#![allow(clippy::unwrap_used, missing_docs)]
#![cfg(unix)]

mod open;
mod plan;
mod server;
mod world;
