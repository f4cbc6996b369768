//! Bytes as hexadecimal digits.

use std::fmt::Write;

use super::proof::WrongText;

/// Reads exactly `N` bytes.
pub(super) fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], WrongText> {
    let wrong = || WrongText { digits: 2 * N, bytes: text.len() };
    if text.len() != 2 * N || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut bytes = [0; N];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

/// Writes two digits per byte.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // A String takes everything.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
