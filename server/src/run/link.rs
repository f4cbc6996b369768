//! What carries frames and answers.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;
use shared::link::Kind;

/// What carries frames and answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// What the client asks for: WebRTC or TCP, both at the server's port
    #[default]
    Any,
    /// WebRTC data channels, opened at the server's port
    Webrtc,
    /// The client's TCP connection to the server's port. A stream loses nothing, so live delivery is refused
    Tcp,
    /// A link within this process, without sockets, to measure the rest of the path. Loses nothing, even in live
    /// delivery
    Memory,
}

impl From<Kind> for LinkKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Webrtc => Self::Webrtc,
            Kind::Tcp => Self::Tcp,
        }
    }
}

impl LinkKind {
    /// Whether a client at the port may have a link of this kind.
    pub fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Any => true,
            Self::Webrtc => kind == Kind::Webrtc,
            Self::Tcp => kind == Kind::Tcp,
            Self::Memory => false,
        }
    }

    /// The kind of link that `--dial` asks a listening client for.
    pub fn of_dial(self) -> Kind {
        self.of_loopback()
    }

    /// The kind of link that a client of `--loopback` asks for.
    pub fn of_loopback(self) -> Kind {
        if self == Self::Tcp { Kind::Tcp } else { Kind::Webrtc }
    }
}
