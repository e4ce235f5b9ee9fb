//! The explorer on a real cluster: rows that follow it, missing rights, a network that goes and comes back, leftovers that are repaired.
//!
//! `cargo xtask test cluster` brings the cluster up, sets the variables that `towline-cluster-tests` reads, and runs these with `--ignored`.

mod explorer;
mod leftovers;
mod outage;
mod stage;
