//! Searches for bytes with which [`shared::protocol::encoding::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::protocol::encoding::fuzz::check(bytes));
