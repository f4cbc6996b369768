//! Text for the page: escapes untrusted text, and formats numbers with their significant digits.

use std::fmt::{Display, Write};

use shared::text::Escaped;

/// Escapes an untrusted text for HTML. Control characters are printed as escapes.
pub(super) fn escaped(text: impl Display) -> String {
    words(&Escaped(text).to_string())
}

/// Escapes our own text for HTML.
pub(super) fn words(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A number with about this many significant digits, without zeros at its end.
pub(super) fn number(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".into();
    }
    let size = value.abs().log10().floor() as i32;
    if !(-5..9).contains(&size) {
        let text = format!("{:.*e}", (digits - 1).max(0) as usize, value.abs());
        return if value < 0.0 { format!("\u{2212}{text}") } else { text };
    }
    let decimals = (digits - 1 - size).max(0) as usize;
    let text = format!("{value:.decimals$}");
    let text = if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.replace('-', "\u{2212}")
}

/// Three significant digits.
pub(super) fn short(value: f64) -> String {
    number(value, 3)
}

/// The number, or a dash if there is none.
pub(super) fn or_dash(value: Option<f64>) -> String {
    value.map_or("\u{2013}".into(), short)
}

/// A whole number in groups of three digits.
pub(super) fn whole(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{}\u{202f}%", short(share * 100.0))
}

/// A time in µs, in a suitable unit.
pub(super) fn time(us: f64) -> String {
    match us.abs() {
        size if size >= 1e6 => format!("{}\u{202f}s", short(us / 1e6)),
        size if size >= 1e3 => format!("{}\u{202f}ms", short(us / 1e3)),
        _ => format!("{}\u{202f}µs", short(us)),
    }
}

/// Appends a coordinate with at most one decimal, as short as possible.
pub(super) fn coordinate(text: &mut String, value: f64) {
    let tenths = (value * 10.0).round() as i64;
    // Writing into a string does not fail.
    let _ = if tenths % 10 == 0 { write!(text, "{}", tenths / 10) } else { write!(text, "{}", tenths as f64 / 10.0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_is_escaped() {
        let name = "<b onload='x'>\"&\u{202e}\n";
        assert_eq!(escaped(name), "&lt;b onload=&#39;x&#39;&gt;&quot;&amp;\\u{202e}\\n");
    }

    #[test]
    fn numbers_have_their_significant_digits() {
        let said = [0.0, 0.012345, 1.5, -0.3, 1234.6, 2e-9, -2e-9].map(short);
        assert_eq!(said, ["0", "0.0123", "1.5", "\u{2212}0.3", "1235", "2.00e-9", "\u{2212}2.00e-9"]);
        assert_eq!([1.0, 1500.0, 2e6].map(time), ["1\u{202f}µs", "1.5\u{202f}ms", "2\u{202f}s"]);
        assert_eq!(whole(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
