//! What must hold whatever bytes come, said once: each module has a `check` that panics where it does not.
//!
//! `cargo xtask test fuzz` runs them under libFuzzer, guided by coverage. Its crate `libfuzzer-sys` brings the fuzzer's C++ and needs a C++ compiler; the
//! instrumentation is the stable compiler's own (`instrument.sh`). cargo-fuzz, afl.rs and honggfuzz were not taken: the first wants a nightly compiler for
//! its default, the others programs that a build machine does not have. `cargo test` tries every seed without libFuzzer, so that whatever a fuzzer once
//! found stays found: what it finds is put into `seeds/`.
//!
//! Inputs are kept readable, so that a person can write a seed and understand what was found.

mod frames;
pub mod helper_frames;
pub mod hosts_file;
#[cfg(feature = "fuzzers")]
mod memory;
pub mod project_file;
pub mod wire;

#[cfg(feature = "fuzzers")]
pub use memory::within;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
