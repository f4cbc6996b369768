//! Calls into other crates that panic on damaged input. The panic becomes an error, and is not logged as one of ours.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use thiserror::Error;

thread_local! {
    /// Whether this thread's panics are caught by [`caught`].
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What a call said when it panicked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct Panicked(String);

/// Runs a call that may panic. What it has changed must not be used after an error.
///
/// # Errors
/// [`Panicked`].
pub fn caught<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    let before = IS_GUARDED.replace(true);
    let ended = catch_unwind(AssertUnwindSafe(call));
    IS_GUARDED.set(before);
    ended.map_err(|panic| Panicked(message(&*panic)))
}

/// Whether a panic of this thread, now, becomes an error.
pub(super) fn is_guarded() -> bool {
    IS_GUARDED.get()
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        assert_eq!(caught(|| 7), Ok(7));
        let said = caught(|| -> u8 { panic!("the test wants {}", "this panic") }).unwrap_err();
        assert_eq!(said.to_string(), "the test wants this panic");
        assert_eq!(caught(|| -> u8 { panic!("plain") }).unwrap_err().to_string(), "plain");
        assert!(caught(is_guarded).unwrap() && !is_guarded());
    }
}
