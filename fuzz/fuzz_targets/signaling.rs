//! Searches for bytes with which [`shared::door::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::door::fuzz::check(bytes));
