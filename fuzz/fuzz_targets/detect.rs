//! Searches for bytes with which [`client::pipeline::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| client::pipeline::fuzz::check(bytes));
