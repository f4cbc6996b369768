//! What carries frames and answers.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;

/// What carries frames and answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// WebRTC data channels, opened at the server's port
    #[default]
    Webrtc,
    /// A link within this process, without sockets, to measure the rest of the path. Loses nothing, even in live
    /// delivery
    Memory,
}
