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
    /// What carries frames and answers: webrtc, or memory, which goes with --loopback only
    #[arg(long, value_name = "KIND", default_value = "webrtc")]
    pub link: LinkKind,

    /// Unanswered frames at a time
    #[arg(long, value_name = "N", default_value = "8")]
    #[schemars(range(min = 1, max = MAX_WINDOW), extend("takes" = "a whole number of frames from {}"))]
    pub window: NonZeroU32,

    /// A frame unanswered for this long is lost
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = text::parse_duration)]
    #[serde(serialize_with = "text::duration")]
    #[schemars(with = "String")]
    pub deadline: Duration,

    /// How frames and answers are delivered: reliable, or live, which gives up what is late
    #[arg(long, value_name = "HOW", default_value = "reliable")]
    pub delivery: Delivery,

    /// How frames are written, never with loss: raw; lz4, where that is shorter; or auto, whichever is quicker by what
    /// is measured of frames and link. Clients that cannot read LZ4 get raw
    #[arg(long, value_name = "NAME", default_value = "raw")]
    pub encoding: StreamEncoding,

    /// Largest SCTP packet in bytes; the smaller of both ends' holds [default: what peer and path carry: 16000 within a
    /// machine, up to 1400 on a network and to strangers]
    #[arg(long, value_name = "BYTES")]
    #[schemars(range(min = LEAST_MTU, max = LOOPBACK_MTU), extend("takes" = "a whole number of bytes from {}"))]
    pub sctp_mtu: Option<u32>,

    /// Run a client in this process too, over the same real link: a first try in one command
    #[arg(long)]
    pub loopback: bool,

    /// Serve one client, then end
    #[arg(long)]
    pub once: bool,

    /// How long to wait for the first client, until it has said hello: a duration such as 30s, or forever. When that is
    /// over the run ends with exit code 3
    #[arg(long, value_name = "DURATION", default_value = "forever")]
    #[serde(serialize_with = "text::display")]
    #[schemars(with = "String")]
    pub wait: Wait,
}
