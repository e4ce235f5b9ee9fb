//! What the core and its agent say to each other, for libFuzzer, which brings `main`.
#![no_main]

use towline_fuzz::wire::{MEMORY, check};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| towline_fuzz::within(MEMORY, || check(bytes)));
