//! The bytes of protocol 1 do not change, because other languages rely on them.
//!
//! Each message was checked against `msgpack` from PyPI: `msgpack.packb` of the same map gives the same bytes.

mod answers;
mod control;
mod frames;
mod streams;

use serde::Serialize;
use shared::protocol::message;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn bytes_of(message: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    message::encode(message, &mut bytes).unwrap();
    bytes
}
