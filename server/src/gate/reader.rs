//! Reads the text of a condition, or says what was expected at the place of the mistake.

use std::str::FromStr;

use super::condition::{Condition, EXAMPLE, NotACondition, OPERATORS, UNITS};

/// Maximum number of digits of an exponent: a number with more is out of range.
const EXPONENT_DIGITS: usize = 3;

impl FromStr for Condition {
    type Err = NotACondition;

    fn from_str(text: &str) -> Result<Self, NotACondition> {
        let mut rest = Rest { text, at: 0 };
        match rest.condition() {
            Ok(condition) => condition.with_fitting_unit()?.with_finite_limit(),
            Err(expected) => {
                let advice = advice(text, text[..rest.at].chars().count() + 1, expected);
                Err(NotACondition::Unreadable { text: text.into(), advice })
            }
        }
    }
}

/// A text and how much of it was read.
struct Rest<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Rest<'a> {
    /// Reads a condition, or says what was expected at the place that was reached.
    fn condition(&mut self) -> Result<Condition, &'static str> {
        self.spaces();
        let path = self.path().ok_or("the path of a figure")?;
        self.spaces();
        let operator = self.one_of(&OPERATORS).ok_or("one of < <= > >= == !=")?;
        self.spaces();
        let number = self.number().ok_or("a number")?;
        self.spaces();
        let unit = self.one_of(&UNITS);
        self.spaces();
        let is_over = self.left().is_empty();
        let condition = Condition { path: path.into(), operator, number: number.into(), unit };
        is_over.then_some(condition).ok_or(if unit.is_some() { "the end" } else { "a unit or the end" })
    }

    fn left(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn spaces(&mut self) {
        self.while_is(|letter| letter.is_ascii_whitespace());
    }

    /// Skips letters while they are of this kind, and returns them.
    fn while_is(&mut self, is: impl Fn(u8) -> bool) -> &'a str {
        let (left, count) = (self.left(), self.left().bytes().take_while(|letter| is(*letter)).count());
        // Only ASCII letters are passed, so this is a boundary.
        self.at += count;
        &left[..count]
    }

    fn path(&mut self) -> Option<&'a str> {
        let start = self.at;
        let begins = self.left().bytes().next().is_some_and(|letter| letter.is_ascii_alphabetic() || letter == b'_');
        loop {
            let name = self.while_is(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'-'));
            if !begins || name.is_empty() {
                return None;
            }
            if !self.left().starts_with('.') {
                return Some(&self.text[start..self.at]);
            }
            self.at += 1;
        }
    }

    fn one_of<T: Copy>(&mut self, known: &[(&str, T)]) -> Option<T> {
        let (text, found) = known.iter().find(|(text, _)| self.left().starts_with(text))?;
        self.at += text.len();
        Some(*found)
    }

    fn number(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.at += usize::from(self.left().starts_with(['+', '-']));
        let whole = self.while_is(|letter| letter.is_ascii_digit());
        let point = self.left().starts_with('.');
        self.at += usize::from(point);
        let part = if point { self.while_is(|letter| letter.is_ascii_digit()) } else { "" };
        if whole.is_empty() && part.is_empty() {
            self.at = start;
            return None;
        }
        if self.left().starts_with(['e', 'E']) {
            let exponent = self.at;
            self.at += 1;
            self.at += usize::from(self.left().starts_with(['+', '-']));
            let digits = self.while_is(|letter| letter.is_ascii_digit()).len();
            if digits == 0 || digits > EXPONENT_DIGITS {
                self.at = exponent;
                return None;
            }
        }
        let number = &self.text[start..self.at];
        number.parse::<f64>().is_ok_and(f64::is_finite).then_some(number)
    }
}

/// The valid form for a text whose first mistake is at this character.
fn advice(text: &str, character: usize, expected: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let words: Vec<_> = lower.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').collect();
    let joins = ["&&", "||", ";", ","].iter().any(|sign| text.contains(sign));
    if joins || words.contains(&"and") || words.contains(&"or") {
        return format!("give each comparison as a string of its own, such as {EXAMPLE}");
    }
    if has_single_equals(text) {
        return "write \"==\" for \"is equal to\", such as \"frames.missed == 0\"".into();
    }
    format!(
        "{expected} was expected at character {character}; write PATH OP NUMBER, such as {EXAMPLE}; OP is one of \
         < <= > >= == !=, units are us, ms, s and %, and px"
    )
}

fn has_single_equals(text: &str) -> bool {
    let bytes = text.as_bytes();
    let sign = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(|letter| b"<>=!".contains(letter));
    let alone = |at: usize| !sign(at.checked_sub(1)) && !sign(Some(at + 1));
    (0..bytes.len()).any(|at| bytes[at] == b'=' && alone(at))
}
