//! Looks for bytes that [`client::pipeline::fuzz::check`] does not pass.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| client::pipeline::fuzz::check(bytes));
