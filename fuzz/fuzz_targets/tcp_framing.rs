//! Looks for bytes that [`shared::link::tcp::fuzz::check`] does not pass.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::link::tcp::fuzz::check(bytes));
