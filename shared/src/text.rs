//! Text from peers, files and names, made safe to print.
//!
//! Control characters move the cursor, forge lines and switch a terminal's modes. Format characters, such as
//! right-to-left marks, make a text look like another. All of them are printed as escapes, such as `\n` or `\u{202e}`,
//! wherever foreign text is printed. JSON has its own escapes for the same characters: [`json`](crate::json).

use std::borrow::Borrow;
use std::fmt::{self, Display, Write};

/// Maximum number of characters of a peer's reason: some two lines of a terminal.
pub const REASON: usize = 160;

/// Marks where a text was cut.
const CUT: &str = "..";

/// A foreign text with its control and format characters escaped.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<T>(pub T);

/// Like [`Escaped`], cut to a number of characters, `..` included.
#[derive(Clone, Copy, Debug)]
pub struct Brief<T>(pub T, pub usize);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

impl<T: Display> Display for Brief<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bounded = Bounded { text: String::new(), room: self.1 };
        match write!(Escaping(&mut bounded), "{}", self.0) {
            Ok(()) => f.write_str(&bounded.text),
            Err(fmt::Error) => {
                let kept = bounded.text.chars().take(self.1.saturating_sub(CUT.len()));
                kept.chain(CUT.chars()).try_for_each(|character| f.write_char(character))
            }
        }
    }
}

/// A number, with an exponent where it would have many zeros: 1e300 has 300.
#[derive(Clone, Copy, Debug)]
pub struct Figure<T>(pub T);

/// Magnitudes that are written without an exponent, as JavaScript writes them (ECMA-262, Number::toString).
const PLAIN: std::ops::Range<f64> = 1e-6..1e21;

impl<T: Borrow<f64>> Display for Figure<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0.borrow();
        let is_plain = *number == 0.0 || !number.is_finite() || PLAIN.contains(&number.abs());
        if is_plain { write!(f, "{number}") } else { write!(f, "{number:e}") }
    }
}

/// A word, quoted for a POSIX shell.
pub fn quoted(word: impl AsRef<str>) -> String {
    let word = word.as_ref();
    let is_plain = |one: char| one.is_ascii_alphanumeric() || "-_./:=,+@%".contains(one);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Escapes everything written through it.
struct Escaping<W>(W);

impl<W: Write> Write for Escaping<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|character| match is_plain(character) {
            true => self.0.write_char(character),
            false => write!(self.0, "{}", character.escape_debug()),
        })
    }
}

/// A text of limited length. `room` is how many more characters it accepts.
struct Bounded {
    text: String,
    room: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|character| {
            self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(character);
            Ok(())
        })
    }
}

/// Whether a character is printed as itself and has no other effect.
///
/// The standard library's table decides: it escapes controls, format characters, separators other than the space, and
/// unassigned code points. It also escapes quotes and backslashes, which are harmless.
pub(crate) fn is_plain(character: char) -> bool {
    matches!(character, ' '..='~') || !is_escaped_by_the_standard_library(character)
}

/// Tests the character after a letter, where the standard library leaves combining marks unescaped.
fn is_escaped_by_the_standard_library(character: char) -> bool {
    let mut bytes = [b'x'; 5];
    let length = 1 + character.encode_utf8(&mut bytes[1..]).len();
    // A letter followed by an encoded character is always valid UTF-8.
    let text = std::str::from_utf8(&bytes[..length]).unwrap_or_default();
    text.escape_debug().nth(1) == Some('\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(["a.py", "", "a b", "it's", "10..40"].map(quoted), ["a.py", "''", "'a b'", "'it'\\''s'", "10..40"]);
    }

    fn escaped(text: &str) -> String {
        Escaped(text).to_string()
    }

    #[test]
    fn characters_that_move_the_cursor_or_reverse_text_are_escaped() {
        let cases = [
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("one\r\ntwo\tthree\0", "one\\r\\ntwo\\tthree\\0"),
            ("\u{7f}\u{9b}31m", "\\u{7f}\\u{9b}31m"),
            ("gpj.\u{202e}exe", "gpj.\\u{202e}exe"),
            (
                "\u{200f}\u{2066}\u{2069}\u{200b}\u{feff}\u{2028}",
                "\\u{200f}\\u{2066}\\u{2069}\\u{200b}\\u{feff}\\u{2028}",
            ),
            ("tag\u{e0041}", "tag\\u{e0041}"),
        ];
        for (text, printed) in cases {
            assert_eq!(escaped(text), printed);
        }
    }

    #[test]
    fn a_number_has_an_exponent_where_it_would_have_many_zeros() {
        let cases = [
            (0.0, "0"),
            (-12.5, "-12.5"),
            (1e-6, "0.000001"),
            (9.5e-7, "9.5e-7"),
            (1e20, "100000000000000000000"),
            (-1e21, "-1e21"),
            (1e300, "1e300"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "NaN"),
        ];
        for (number, written) in cases {
            assert_eq!(Figure(number).to_string(), written);
        }
    }

    #[test]
    fn ordinary_text_is_unchanged() {
        for text in ["naïve café 測試 тест 🙂", "C:\\a 'b' \"c\" {d}", "cafe\u{301}", "µ ± ×", ""] {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn a_long_text_is_cut_after_escaping() {
        assert_eq!(Brief("waiting", 7).to_string(), "waiting");
        assert_eq!(Brief("waiting", 6).to_string(), "wait..");
        assert_eq!(Brief("\u{7f}".repeat(64 << 10), 10).to_string(), "\\u{7f}\\u..");
        assert_eq!(Brief("é".repeat(9), 3).to_string(), "é..");
    }

    proptest! {
        #[test]
        fn no_text_has_a_control_character_left(text in any::<String>(), room in 2..40_usize) {
            prop_assert!(!escaped(&text).chars().any(char::is_control));
            prop_assert!(Brief(&text, room).to_string().chars().count() <= room);
            prop_assert_eq!(escaped(&escaped(&text)), escaped(&text));
        }

        #[test]
        fn a_number_is_read_back_as_it_was(number in any::<f64>()) {
            prop_assert_eq!(Figure(number).to_string().parse::<f64>(), Ok(number));
        }
    }
}
