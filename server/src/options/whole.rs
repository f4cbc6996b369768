//! Options that are whole numbers from 1.

use std::num::NonZeroU64;

/// Reads a whole number from 1 to `most`.
///
/// # Errors
/// What is wrong, and what would be right.
pub(crate) fn whole<T: TryFrom<NonZeroU64>>(text: &str, most: u64) -> Result<T, String> {
    let number = text.parse().ok().filter(|number: &NonZeroU64| number.get() <= most);
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| format!("\"{text}\" is not a whole number from 1 to {most}"))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn any_number_from_1_to_the_most_is_taken_and_others_are_refused_with_both() {
        let numbers = |text: &str| (whole::<u64>(text, 1024), whole::<NonZeroU32>(text, 1024).map(NonZeroU32::get));
        assert_eq!(numbers("1"), (Ok(1), Ok(1)));
        assert_eq!(numbers("1024"), (Ok(1024), Ok(1024)));
        for text in ["0", "1025", "-1", "1.5", "many", "", "99999999999999999999999"] {
            let wrong = format!("\"{text}\" is not a whole number from 1 to 1024");
            assert_eq!(numbers(text), (Err(wrong.clone()), Err(wrong)));
        }
    }
}
