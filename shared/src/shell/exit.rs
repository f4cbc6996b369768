//! Exit codes. Scripts rely on them.

use std::fmt::Display;
use std::process::ExitCode;

use tracing::error;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Fine = 0,
    /// A gate failed.
    GateFailed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// No peer, port taken, connection lost, or a session with fewer results than requested.
    NoPeer = 3,
    /// Anything else.
    Other = 4,
}

/// The codes, the most important first. Wrong usage means that nothing ran. After a failure of the program itself (such
/// as an incomplete file), the other codes cannot be trusted. A failed gate is a result about figures. A lost peer is
/// the least specific.
const ORDER: [Exit; 5] = [Exit::Usage, Exit::Other, Exit::GateFailed, Exit::NoPeer, Exit::Fine];

impl Exit {
    /// The one exit code if several apply: 2, then 4, then 1, then 3. `Fine` if none does.
    pub fn of(reasons: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: &Self| ORDER.iter().position(|known| known == exit);
        reasons.into_iter().min_by_key(rank).unwrap_or(Self::Fine)
    }

    /// The exit code of a command. Its error is logged: the code is 2 if `is_usage` says so, and 4 otherwise.
    pub fn unless_failed<E: Display>(done: Result<Self, E>, is_usage: impl FnOnce(&E) -> bool) -> Self {
        done.unwrap_or_else(|wrong| {
            error!("{wrong}");
            if is_usage(&wrong) { Self::Usage } else { Self::Other }
        })
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_important_of_several_codes_is_returned() {
        assert_eq!(Exit::of([]), Exit::Fine);
        assert_eq!(Exit::of([Exit::Fine, Exit::NoPeer]), Exit::NoPeer);
        assert_eq!(Exit::of([Exit::NoPeer, Exit::GateFailed, Exit::Fine]), Exit::GateFailed);
        assert_eq!(Exit::of([Exit::GateFailed, Exit::Other, Exit::NoPeer]), Exit::Other);
        assert_eq!(Exit::of([Exit::Other, Exit::Usage, Exit::GateFailed]), Exit::Usage);
        for code in ORDER {
            assert_eq!(Exit::of([code, Exit::Fine]), code, "every code has its place");
        }
    }

    #[test]
    fn a_command_that_failed_has_the_code_of_its_error() {
        let is_usage = |wrong: &&str| *wrong == "a wrong option";
        assert_eq!(Exit::unless_failed(Ok::<_, &str>(Exit::GateFailed), is_usage), Exit::GateFailed);
        assert_eq!(Exit::unless_failed(Err("a wrong option"), is_usage), Exit::Usage);
        assert_eq!(Exit::unless_failed(Err("a full disk"), is_usage), Exit::Other);
    }
}
