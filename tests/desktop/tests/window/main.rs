//! The application in a real window on a real cluster, end to end. One program for all: each test has a desktop and a namespace of its own. The package's
//! test, which changes this machine, is another.

#![allow(clippy::unwrap_used)]

mod losses;
mod machine;
mod others;
mod project;
mod refusals;
mod rights;
mod rivals;
mod session;
mod tray;
