//! However a session ends, the workload goes back to what it was, and nothing is left behind.

mod broken;
mod crash;
mod ends;
mod history;
mod others;
mod sessions;
