//! What carries frames and answers.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;
use shared::link::{Kind, grpc};

/// What carries frames and answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// What the client asks for: WebRTC, TCP or gRPC, all at the server's port
    #[default]
    Any,
    /// WebRTC data channels, opened at the server's port
    Webrtc,
    /// The client's TCP connection to the server's port. It loses nothing, so live delivery is refused
    Tcp,
    /// The client's gRPC call to the server's port. Live delivery is refused here too
    Grpc,
    /// A link within this process, without sockets, to measure the rest of the path. Loses nothing, even in live
    /// delivery
    Memory,
}

impl From<Kind> for LinkKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Webrtc => Self::Webrtc,
            Kind::Tcp => Self::Tcp,
            Kind::Grpc => Self::Grpc,
        }
    }
}

impl LinkKind {
    /// Whether a client at the port may have a link of this kind.
    pub fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Any => kind != Kind::Grpc || grpc::IS_BUILT,
            Self::Webrtc => kind == Kind::Webrtc,
            Self::Tcp => kind == Kind::Tcp,
            Self::Grpc => kind == Kind::Grpc && grpc::IS_BUILT,
            Self::Memory => false,
        }
    }

    /// The kind of link that `--dial` asks a listening client for.
    pub fn of_dial(self) -> Kind {
        self.of_loopback()
    }

    /// The kind of link that a client of `--loopback` asks for.
    pub fn of_loopback(self) -> Kind {
        match self {
            Self::Any | Self::Webrtc | Self::Memory => Kind::Webrtc,
            Self::Tcp => Kind::Tcp,
            Self::Grpc => Kind::Grpc,
        }
    }

    /// Whether every client has a stream, over which there is no live delivery.
    pub fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Grpc)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Webrtc => "webrtc",
            Self::Tcp => "tcp",
            Self::Grpc => "grpc",
            Self::Memory => "memory",
        }
    }
}
