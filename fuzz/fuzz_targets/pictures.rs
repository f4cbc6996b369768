//! Searches for bytes with which [`shared::image::file::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::image::file::fuzz::check(bytes));
