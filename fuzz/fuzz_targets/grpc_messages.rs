//! Looks for bytes that [`shared::link::grpc::fuzz::check`] does not pass.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::link::grpc::fuzz::check(bytes));
