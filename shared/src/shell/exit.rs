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

impl Exit {
    /// How a program ends for which both hold: wrong usage goes before what failed, that before a gate, and that before a
    /// peer that was not there.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        const ORDER: [Exit; 5] = [Exit::Usage, Exit::Other, Exit::GateFailed, Exit::NoPeer, Exit::Fine];
        ORDER.into_iter().find(|exit| [self, other].contains(exit)).unwrap_or(self)
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
    fn what_goes_before_holds_whoever_says_it_first() {
        let pairs = [(Exit::Fine, Exit::Other, Exit::Other), (Exit::NoPeer, Exit::Other, Exit::Other)];
        let pairs =
            pairs.into_iter().chain([(Exit::Usage, Exit::Other, Exit::Usage), (Exit::Fine, Exit::Fine, Exit::Fine)]);
        for (one, other, both) in pairs {
            assert_eq!((one.and(other), other.and(one)), (both, both));
        }
    }
}
