//! Searches for bytes with which [`shared::link::grpc::fuzz::check`] panics.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::link::grpc::fuzz::check(bytes));
