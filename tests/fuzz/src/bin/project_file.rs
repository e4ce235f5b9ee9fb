//! The project file, for libFuzzer, which brings `main`.
#![no_main]

use towline_fuzz::project_file::{MEMORY, check};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| towline_fuzz::within(MEMORY, || check(bytes)));
