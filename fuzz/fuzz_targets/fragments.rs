//! Searches for bytes with which [`shared::protocol::fragment::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::protocol::fragment::fuzz::check(bytes));
