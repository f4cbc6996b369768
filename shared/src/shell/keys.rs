//! The key `q`, which ends a run whose rows are on a terminal, as it does in a window.
//!
//! The terminal gives keys at once and does not show them while this watches, and is as it was before afterwards: at the
//! end, on a panic, and when the program is stopped or killed from the keyboard. A program in the background, or one whose
//! rows go into a pager that reads the keyboard itself, leaves the terminal alone.

#[cfg(unix)]
pub use unix::Keys;

/// Watches nothing: the terminals of this system are not known here.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Keys;

#[cfg(not(unix))]
impl Keys {
    /// Nothing to watch.
    pub fn watch(_: super::standard::Target, _: &super::stop::Stopper) -> Option<Self> {
        None
    }
}

#[cfg(unix)]
mod unix;
