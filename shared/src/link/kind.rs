//! The kinds of links between two processes.

use std::fmt;

use clap::ValueEnum;

/// A kind of link. Its name is the same on the command line, in signaling and in reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// WebRTC data channels
    #[default]
    Webrtc,
    /// The TCP connection to the server's port
    Tcp,
    /// A gRPC call to the server's port
    Grpc,
}

impl Kind {
    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|kind| kind.name() == name)
    }

    /// All kinds.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::value_variants().iter().copied()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Webrtc => "webrtc",
            Self::Tcp => "tcp",
            Self::Grpc => "grpc",
        }
    }

    /// Whether it is a stream, which repeats what was lost: there is no live delivery over it.
    pub fn is_stream(self) -> bool {
        match self {
            Self::Webrtc => false,
            Self::Tcp | Self::Grpc => true,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_the_name_that_options_take() {
        for kind in Kind::value_variants() {
            assert_eq!(Kind::named(kind.name()), Some(*kind));
            assert_eq!(Kind::from_str(kind.name(), false), Ok(*kind));
        }
        assert_eq!(Kind::named("smoke"), None);
    }
}
