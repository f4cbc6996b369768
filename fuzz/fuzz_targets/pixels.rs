//! Looks for bytes that [`shared::protocol::encoding::fuzz::check`] does not pass.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::protocol::encoding::fuzz::check(bytes));
