//! Exit codes: a promise to scripts.

use std::process::ExitCode;

/// How a program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Fine = 0,
    /// A gate failed.
    GateFailed = 1,
    /// The command line asks for something impossible.
    Usage = 2,
    /// No peer, port taken, or connection lost.
    NoPeer = 3,
    /// Anything else.
    Other = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
