//! Commands as lines of text.

use shared::text::Brief;
use thiserror::Error;

use super::Command;

/// Bytes of a line that are kept. A command has one letter; the rest is kept for the error about a wrong line.
const KEPT: usize = 64;

/// Characters of a wrong line that are shown.
const SHOWN: usize = 40;

/// A line that is not a command.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{}\" is not a command: write n (next frame), q (quit the client) or x (quit client and server)", Brief(.0, SHOWN))]
pub struct NotACommand(String);

/// Turns bytes into commands. A line of any length takes a bounded amount of memory.
#[derive(Debug, Default)]
pub struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Takes the next byte. Returns the command of a line once it is complete; an empty line has none.
    pub fn push(&mut self, byte: u8) -> Option<Result<Command, NotACommand>> {
        if byte == b'\n' {
            return self.finish();
        }
        if self.line.len() < KEPT {
            self.line.push(byte);
        }
        None
    }

    /// Returns the command of a last line without a line break. The end of the input itself is not a command.
    pub fn finish(&mut self) -> Option<Result<Command, NotACommand>> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        match text.trim() {
            "" => None,
            "n" | "N" => Some(Ok(Command::Next)),
            "q" | "Q" => Some(Ok(Command::Quit)),
            "x" | "X" => Some(Ok(Command::QuitBoth)),
            other => Some(Err(NotACommand(other.to_owned()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(bytes: &[u8]) -> Vec<Result<Command, NotACommand>> {
        let mut lines = Lines::default();
        let mut said: Vec<_> = bytes.iter().filter_map(|byte| lines.push(*byte)).collect();
        said.extend(lines.finish());
        said
    }

    #[test]
    fn several_commands_in_one_write_are_several_commands() {
        let all = [Command::Next, Command::Next, Command::QuitBoth, Command::Quit];
        assert_eq!(said(b"n\n N \r\n\n\nx\nq"), all.map(Ok), "the last line needs no line break");
    }

    #[test]
    fn the_end_of_the_input_is_not_a_command() {
        assert_eq!(said(b""), []);
        assert_eq!(said(b"n\n"), [Ok(Command::Next)]);
    }

    #[test]
    fn a_wrong_line_is_answered_with_the_three_commands_and_the_next_line_counts() {
        let said = said(b"next\n\x1b[2J\xff\xfe\nq\n");
        let wrong =
            "\"next\" is not a command: write n (next frame), q (quit the client) or x (quit client and server)";
        assert_eq!(said[0].as_ref().unwrap_err().to_string(), wrong);
        let escaped = said[1].as_ref().unwrap_err().to_string();
        assert!(!escaped.chars().any(char::is_control), "{escaped}");
        assert_eq!(said[2], Ok(Command::Quit));
    }

    #[test]
    fn a_line_of_any_length_needs_little_memory() {
        let mut lines = Lines::default();
        for _ in 0..1_000_000 {
            assert_eq!(lines.push(b'n'), None);
        }
        assert!(lines.line.capacity() <= 2 * KEPT);
        let wrong = lines.push(b'\n').unwrap().unwrap_err().to_string();
        assert!(wrong.len() < 200, "{wrong}");
        assert_eq!(lines.push(b'n').or(lines.push(b'\n')), Some(Ok(Command::Next)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let breaks = bytes.iter().filter(|byte| **byte == b'\n').count();
            prop_assert!(said(&bytes).len() <= breaks + 1);
        }
    }
}
