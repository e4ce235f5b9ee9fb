//! The command line on a real cluster, end to end. One program for all: each test has a namespace, and where it needs one a machine, of its own, so several run at
//! once all the time.

#![allow(clippy::unwrap_used)]

mod bad_input;
mod environment;
mod harness;
mod inbound;
mod kinds;
mod machine;
mod names;
mod outbound;
mod ports;
mod project;
mod reconnect;
mod restore;
mod rights;
mod shop;
mod two_clusters;
mod udp;
mod volumes;
