//! Searches for bytes with which [`server::source::mcap::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| server::source::mcap::fuzz::check(bytes));
