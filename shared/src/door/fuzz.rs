//! The properties that the fuzzer checks of a visitor's first words: lines of signaling, and requests of HTTP. The corpus
//! is `fuzz/corpus/signaling`.

use super::signal::Signal;
use super::{http, lines};

/// Longest head of a request that is checked, in bytes: each of its prefixes is parsed.
const MAX_HEAD: usize = 1 << 10;

/// Longest description of what is wrong with a line, in bytes: a quotation of 60 characters, and the reason.
const MAX_REASON: usize = 400;

/// Checks that a line is a signal that is read again as it was written, or is refused in a short text without control
/// characters; and that a request of HTTP is the same in however many pieces it arrives.
///
/// The first byte chooses (0 is HTTP), the rest is the head of a request, or lines.
///
/// # Panics
/// If one of these properties does not hold.
pub fn check(bytes: &[u8]) {
    match bytes.split_first() {
        Some((0, head)) => request(&head[..head.len().min(MAX_HEAD)]),
        Some((_, lines)) => lines.split(|byte| *byte == b'\n').for_each(line),
        None => {}
    }
}

fn line(line: &[u8]) {
    match lines::parse(line) {
        Ok(signal) => {
            let written = serde_json::to_vec(&signal).expect("a signal has a JSON form");
            let read: Signal = lines::parse(&written).expect("a signal that was written");
            assert_eq!(read, signal);
        }
        Err(wrong) => {
            let said = wrong.to_string();
            assert!(said.len() <= MAX_REASON && !said.contains(char::is_control), "{said:?}");
        }
    }
}

fn request(head: &[u8]) {
    let Some(first) = (0..=head.len()).find_map(|end| http::parse(&head[..end]).ok().flatten()) else { return };
    assert_eq!(http::parse(head).ok().flatten().as_ref(), Some(&first));
    assert!(!first.path.contains(['?', '#']), "{}", first.path);
}
