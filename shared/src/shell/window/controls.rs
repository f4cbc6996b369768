//! The effects of keys while a program works.

use std::fmt;
use std::sync::Arc;

use crate::shell::stop::Stopper;

/// The effects of keys in a window and at a terminal.
#[derive(Debug)]
pub struct Controls<'a> {
    /// Ends the work: `q` in both, Esc in the window, the closed window.
    pub stopper: &'a Stopper,
    /// The effects of other keys in the window.
    pub on_key: Option<OnKey>,
    /// Whether keys of the terminal are read. Not if the program reads its stdin itself.
    pub takes_terminal: bool,
}

impl<'a> Controls<'a> {
    /// Controls that only end the work.
    pub fn of(stopper: &'a Stopper) -> Self {
        Self { stopper, on_key: None, takes_terminal: true }
    }
}

/// The effects of keys other than those that end the work.
#[derive(Clone)]
pub struct OnKey(Arc<dyn Fn(char) + Send + Sync>);

impl OnKey {
    /// Calls `press` with each key. It must be quick.
    pub fn new(press: impl Fn(char) + Send + Sync + 'static) -> Self {
        Self(Arc::new(press))
    }

    /// Passes a key on.
    pub(super) fn press(&self, key: char) {
        (self.0)(key);
    }
}

impl fmt::Debug for OnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnKey").finish_non_exhaustive()
    }
}
