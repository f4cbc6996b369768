//! Looks for bytes that [`client::detect::fuzz::check`] does not pass.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| client::detect::fuzz::check(bytes));
