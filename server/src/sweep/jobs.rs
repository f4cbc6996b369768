//! The option `--jobs`: how many trials run at the same time.

use std::num::NonZeroUsize;

/// Most trials at the same time. Each has a thread, and the largest machines have some hundred cores.
const MOST: usize = 1024;

/// Reads the value of `--jobs`.
///
/// # Errors
/// What is wrong, and what would be right.
pub(crate) fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    let count = text.parse().ok().filter(|count| (1..=MOST).contains(count)).and_then(NonZeroUsize::new);
    count.ok_or_else(|| format!("\"{text}\" is not a whole number from 1 to {MOST}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_from_1_to_the_most_is_taken_and_others_are_refused_with_both() {
        assert_eq!(jobs("1").map(usize::from), Ok(1));
        assert_eq!(jobs("1024").map(usize::from), Ok(MOST));
        for text in ["0", "1025", "-1", "1.5", "many", "", "99999999999999999999999"] {
            assert_eq!(jobs(text), Err(format!("\"{text}\" is not a whole number from 1 to 1024")));
        }
    }
}
