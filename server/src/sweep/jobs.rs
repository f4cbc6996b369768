//! The option `--jobs`: how many trials run at the same time.

use std::num::NonZeroUsize;

use crate::options::whole;

/// Most trials at the same time. Each has a thread, and the largest machines have some hundred cores.
const MOST: u64 = 1024;

/// Reads the value of `--jobs`.
///
/// # Errors
/// What is wrong, and what would be right.
pub(crate) fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    whole(text, MOST)
}
