//! How frames and answers are delivered, and to whom.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use shared::link::webrtc::{LEAST_MTU, LOOPBACK_MTU};
use shared::protocol::MAX_WINDOW;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::message::Delivery;
use shared::shell::wait::Wait;

use super::link::LinkKind;
use super::text;

/// How it is delivered.
#[derive(Args, Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[command(next_help_heading = "Delivery")]
pub struct Delivered {
    /// What carries frames and answers: webrtc, tcp, grpc, any (what the client asks for), or memory (only with
    /// --loopback)
    #[arg(long, value_name = "KIND", default_value = "any")]
    pub link: LinkKind,

    /// Maximum number of unanswered frames
    #[arg(long, value_name = "N", default_value = "8")]
    #[schemars(range(min = 1, max = MAX_WINDOW), extend("takes" = "a whole number of frames from {}"))]
    pub window: NonZeroU32,

    /// Count a frame as lost if it has no answer after this time
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = text::parse_duration)]
    #[serde(serialize_with = "text::duration")]
    #[schemars(with = "String")]
    pub deadline: Duration,

    /// Delivery of frames and answers: reliable, or live, which gives up frames that are late
    #[arg(long, value_name = "HOW", default_value = "reliable")]
    pub delivery: Delivery,

    /// Encoding of the frames: raw; lz4 or png, without loss; auto, which measures frames and link and picks raw or lz4;
    /// or jpeg:QUALITY (1 to 100), with loss. A frame that would not be shorter is raw, and so are all frames of a
    /// client that cannot read the encoding
    #[arg(long, value_name = "NAME", default_value = "raw")]
    pub encoding: StreamEncoding,

    /// Largest SCTP packet in bytes; the link uses the smaller value of its two ends [default: chosen by peer and path:
    /// 16000 within a machine, up to 1400 on a network or to a peer that is not Plumb's]
    #[arg(long, value_name = "BYTES")]
    #[schemars(range(min = LEAST_MTU, max = LOOPBACK_MTU), extend("takes" = "a whole number of bytes from {}"))]
    pub sctp_mtu: Option<u32>,

    /// Also run a client in this process, over a real link, to try Plumb with one command
    #[arg(long)]
    pub loopback: bool,

    /// Serve one client, then exit
    #[arg(long)]
    pub once: bool,

    /// Let a client stop the server, with all its sessions (the command x of the client)
    #[arg(long)]
    pub let_clients_stop: bool,

    /// How long to wait for the hello of the first client: a duration such as 30s, or forever. If none comes, exit with
    /// code 3
    #[arg(long, value_name = "DURATION", default_value = "forever")]
    #[serde(serialize_with = "text::display")]
    #[schemars(with = "String")]
    pub wait: Wait,
}
