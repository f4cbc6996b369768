//! Writes figures as text that fits into their column.

/// Text for a figure that is not known.
pub const UNKNOWN: &str = "-";

/// Maximum number of characters of a figure: `8191.999` and its sign fit. A column is one character wider.
pub const CHARACTERS: usize = 9;

/// A length in px, with three decimals.
pub fn pixels(value: f64) -> String {
    figure(value, 3, CHARACTERS)
}

/// An error in px, with five decimals: the error of clean frames is about 0.0005 px.
pub fn error_pixels(value: f64) -> String {
    figure(value, 5, CHARACTERS)
}

/// A time in µs as milliseconds, with two decimals.
pub fn milliseconds(value_us: u64) -> String {
    figure(value_us as f64 / 1000.0, 2, CHARACTERS)
}

/// A rate in Hz, in words; empty while it is unknown.
pub fn per_second(rate_hz: Option<f64>) -> String {
    rate_hz.map_or(String::new(), |rate| format!("{} per second", figure(rate, 1, CHARACTERS)))
}

/// A number with this many decimals, or with a power of ten if the plain form takes more than `characters`.
pub fn figure(value: f64, decimals: usize, characters: usize) -> String {
    let plain = format!("{value:.decimals$}");
    if plain.len() <= characters {
        return plain;
    }
    // Sign, digit, point, `e`, sign and three digits of the exponent take 8 characters. The rest is for decimals.
    format!("{value:.*e}", characters.saturating_sub(8).min(decimals))
}

/// A text cut to this many characters. A text that was cut ends with `..`.
pub fn shortened(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(characters.saturating_sub(2)).collect();
    kept + ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_fit_their_columns() {
        for value in [0.0, -8191.9996, 123_456_789.0, -1e300, f64::MIN_POSITIVE, f64::NEG_INFINITY, f64::NAN] {
            assert!(pixels(value).len() <= CHARACTERS, "{}", pixels(value));
            assert!(error_pixels(value).len() <= CHARACTERS, "{}", error_pixels(value));
        }
        for value in [0, 999_999_999, u64::MAX] {
            assert!(milliseconds(value).len() <= CHARACTERS, "{}", milliseconds(value));
        }
        assert_eq!(pixels(320.25), "320.250");
        assert_eq!(error_pixels(0.000_48), "0.00048");
        assert_eq!(milliseconds(2_310), "2.31");
        assert_eq!(per_second(Some(59.94)), "59.9 per second");
        assert_eq!(per_second(None), "");
    }

    #[test]
    fn figures_too_long_are_written_with_powers_of_ten() {
        assert_eq!(figure(12.3456, 3, 9), "12.346");
        assert_eq!(figure(-1234.5, 3, 9), "-1234.500");
        assert_eq!(figure(123_456.789, 3, 9), "1.2e5");
        assert_eq!(figure(-1e300, 3, 9), "-1.0e300");
        assert_eq!(figure(f64::NAN, 3, 9), "NaN");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(shortened("waiting", 7), "waiting");
        assert_eq!(shortened("waiting", 6), "wait..");
        assert_eq!(shortened("µµµµ", 3), "µ..");
        assert_eq!(shortened("ab", 1), "..");
    }
}
