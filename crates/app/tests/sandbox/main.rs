//! Sessions through the application's layer on a real cluster: `cargo xtask test cluster` runs these, and `tests/cluster/src/lib.rs` says what they
//! need.

#![allow(clippy::unwrap_used)]

mod logs;
mod refused;
mod scene;
mod whole;
