//! Searches for bytes with which [`shared::admission::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::admission::fuzz::check(bytes));
