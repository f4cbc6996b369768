//! Looks for bytes that [`server::source::mcap::fuzz::check`] does not pass.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| server::source::mcap::fuzz::check(bytes));
