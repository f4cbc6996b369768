//! Searches for bytes with which [`server::run::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| server::run::fuzz::check(bytes));
