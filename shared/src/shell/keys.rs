//! The key `q`, which ends a run whose rows are on a terminal, as it does in a window.
//!
//! While this watches, the terminal delivers keys at once and does not echo them. Afterwards its modes are restored: at
//! the end, on a panic, and when the program is stopped or killed from the keyboard. A program in the background leaves
//! the terminal alone, as does one whose rows go into a pager that reads the keyboard itself.

#[cfg(unix)]
pub use unix::Keys;
#[cfg(unix)]
pub(super) use unix::restore;

/// Watches nothing: terminals are not supported on this system.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Keys;

#[cfg(not(unix))]
impl Keys {
    /// Returns nothing to watch.
    pub fn watch(_: super::standard::Target, _: &super::stop::Stopper) -> Option<Self> {
        None
    }
}

/// Restores nothing.
#[cfg(not(unix))]
pub(super) fn restore() {}

#[cfg(unix)]
mod unix;
