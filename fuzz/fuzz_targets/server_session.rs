//! Searches for bytes with which [`server::session::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| server::session::fuzz::check(bytes));
