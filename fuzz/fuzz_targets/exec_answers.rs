//! Searches for bytes with which [`client::pipeline::exec::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| client::pipeline::exec::fuzz::check(bytes));
