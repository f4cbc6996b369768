//! Searches for bytes with which [`client::session::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| client::session::fuzz::check(bytes));
