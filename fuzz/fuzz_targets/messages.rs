//! Searches for bytes with which [`shared::protocol::message::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::protocol::message::fuzz::check(bytes));
