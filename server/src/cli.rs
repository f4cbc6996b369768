//! The command line. Every option can also be given by environment; `--help` says how.

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};
use shared::flow::pacer::Rate;
use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::link::webrtc::parse_mtu;
use shared::protocol::MAX_WINDOW;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::message::Delivery;
use thiserror::Error;

use crate::camera::CameraOptions;
use crate::report::JsonTarget;
use crate::serve::LinkKind;

/// Where the server listens unless told: this machine only.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// Plumb's server: renders frames whose truth it knows, sends them over WebRTC, scores the answers.
#[derive(Debug, Parser)]
#[command(name = "server", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Serving.
    #[command(flatten)]
    pub serve: ServeArgs,

    /// Say more (-v, -vv, -vvv)
    #[arg(short, long, action = clap::ArgAction::Count, global = true, env = "PLUMB_VERBOSE")]
    pub verbose: u8,

    /// Say only what is wrong
    #[arg(short, long, global = true, env = "PLUMB_QUIET", value_parser = FalseyValueParser::new())]
    pub quiet: bool,
}

/// Other things the server does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask whether a server is there: exit code 0 if it answers, 3 if not
    Health {
        /// Where it listens
        #[arg(value_name = "ADDR", env = "PLUMB_LISTEN", default_value = DEFAULT_LISTEN)]
        address: ListenAddress,
    },
}

/// Serving.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen for clients (HOST:PORT; port 0 picks a free one) [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", env = "PLUMB_LISTEN")]
    pub listen: Option<ListenAddress>,

    /// Run a client in this process too, over the same real link: a first try in one command
    #[arg(long, env = "PLUMB_LOOPBACK", value_parser = FalseyValueParser::new())]
    pub loopback: bool,

    /// What carries frames and answers; memory goes with --loopback only
    #[arg(long, value_name = "KIND", env = "PLUMB_LINK", default_value = "webrtc")]
    pub link: LinkKind,

    /// Serve one client, then end
    #[arg(long, env = "PLUMB_ONCE", value_parser = FalseyValueParser::new())]
    pub once: bool,

    /// Frames to send to each client [default: no end]
    #[arg(long, value_name = "N", env = "PLUMB_FRAMES", allow_hyphen_values = true)]
    pub frames: Option<NonZeroU64>,

    /// How long to send to each client, from its first frame, such as 10s [default: no end]
    #[arg(long, value_name = "TIME", env = "PLUMB_DURATION", allow_hyphen_values = true, value_parser = duration)]
    pub duration: Option<Duration>,

    /// A frame unanswered for this long is lost
    #[arg(long, value_name = "TIME", env = "PLUMB_DEADLINE", allow_hyphen_values = true, default_value = "2s", value_parser = duration)]
    pub deadline: Duration,

    /// Frames a second, or max: as fast as the window allows
    #[arg(long, value_name = "HZ", env = "PLUMB_FPS", default_value = "60", allow_hyphen_values = true)]
    pub fps: Rate,

    /// How frames and answers are delivered: reliable, or live, which gives up what is late
    #[arg(long, value_name = "HOW", env = "PLUMB_DELIVERY", default_value = "reliable")]
    pub delivery: Delivery,

    /// Unanswered frames at a time
    #[arg(long, value_name = "N", env = "PLUMB_WINDOW", allow_hyphen_values = true, default_value = "8", value_parser = window)]
    pub window: NonZeroU32,

    /// Size of the frames in px
    #[arg(
        long,
        value_name = "WIDTHxHEIGHT",
        env = "PLUMB_SIZE",
        allow_hyphen_values = true,
        default_value = "640x480"
    )]
    pub size: Size,

    /// Pixels: gray8 or bgr8
    #[arg(long, value_name = "FORMAT", env = "PLUMB_PIXEL", default_value = "gray8")]
    pub pixel: PixelFormat,

    /// How frames are written, never with loss: raw; lz4, where that is shorter; or auto, whichever is quicker by what
    /// is measured of frames and link. Clients that cannot read LZ4 get raw
    #[arg(long, value_name = "NAME", env = "PLUMB_ENCODING", default_value = "raw")]
    pub encoding: StreamEncoding,

    /// Mean speed of the ball along each axis in px/s: each bounce draws half to one and a half times this
    #[arg(long, value_name = "PX/S", env = "PLUMB_SPEED", default_value = "200", allow_hyphen_values = true)]
    pub speed: f64,

    /// Seed of everything random; the same seed plays the same frames [default: drawn and printed]
    #[arg(long, value_name = "N", env = "PLUMB_SEED", allow_hyphen_values = true)]
    pub seed: Option<u64>,

    /// Print a row a frame instead of opening a window
    #[arg(long, env = "PLUMB_NO_GRAPHICS", value_parser = FalseyValueParser::new())]
    pub no_graphics: bool,

    /// Write the report to this file after each session, or to stdout (-) at the end
    #[arg(long, value_name = "FILE", env = "PLUMB_JSON")]
    pub json: Option<JsonTarget>,

    /// Do not announce the server on the local network
    #[arg(long, env = "PLUMB_NO_ANNOUNCE", value_parser = FalseyValueParser::new())]
    pub no_announce: bool,

    /// The address clients shall send to, where it is not the one they connected to
    #[arg(long, value_name = "IP", env = "PLUMB_ADVERTISE")]
    pub advertise: Option<IpAddr>,

    /// UDP port or range for the links, one a client, such as 40000-40015 [default: any free one]
    #[arg(long, value_name = "PORT[-PORT]", env = "PLUMB_UDP_PORT", value_parser = ports)]
    pub udp_port: Option<RangeInclusive<u16>>,

    /// Largest SCTP packet in bytes; the smaller of both ends' holds [default: what peer and path carry: 16000 within a
    /// machine, up to 1400 on a network and to strangers]
    #[arg(long, value_name = "BYTES", env = "PLUMB_SCTP_MTU", allow_hyphen_values = true, value_parser = parse_mtu)]
    pub sctp_mtu: Option<u32>,

    /// Read the camera from this TOML file: names and values of the options below, which go before it
    #[arg(long, value_name = "FILE", env = "PLUMB_CAMERA", help_heading = "Camera")]
    pub camera: Option<PathBuf>,

    /// The camera.
    #[command(flatten)]
    pub effects: CameraOptions,
}

/// A host and port to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress(pub String);

/// Why an address was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is no address: write HOST:PORT, for example {DEFAULT_LISTEN}")]
pub struct NotAnAddress(String);

impl FromStr for ListenAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let sound = |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok();
        if text.rsplit_once(':').is_some_and(sound) { Ok(Self(text.into())) } else { Err(NotAnAddress(text.into())) }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() => Err("must be longer than 0, for example 10s".into()),
        Ok(duration) => Ok(duration),
        Err(_) => Err("not a duration: a number and a unit, for example 10s, 500ms or 2m".into()),
    }
}

fn window(text: &str) -> Result<NonZeroU32, String> {
    match text.parse() {
        Ok(frames @ 1..=MAX_WINDOW) => NonZeroU32::new(frames),
        _ => None,
    }
    .ok_or_else(|| format!("must be a whole number of frames from 1 to {MAX_WINDOW}"))
}

fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let wrong = || "must be a port from 1 to 65535, or a range such as 40000-40015".to_owned();
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|&port| port > 0).ok_or_else(wrong);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = port(first)?..=port(last)?;
    if range.is_empty() { Err(wrong()) } else { Ok(range) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_has_an_environment_variable() {
        for argument in
            Cli::command().get_arguments().filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version"))
        {
            let name = format!("PLUMB_{}", argument.get_id().as_str().to_uppercase());
            assert_eq!(argument.get_env().map(|env| env.to_string_lossy().into_owned()), Some(name));
        }
    }

    #[test]
    fn udp_ports_are_one_or_a_range() {
        assert_eq!(ports("40000"), Ok(40000..=40000));
        assert_eq!(ports("40000-40015"), Ok(40000..=40015));
        for text in ["0", "5-4", "70000", "a", "1-", ""] {
            assert!(ports(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_of_zero_or_without_unit_are_refused() {
        assert!(duration("0s").unwrap_err().contains("longer than 0"));
        assert!(duration("10").unwrap_err().contains("10s"));
        assert_eq!(duration("1500ms"), Ok(Duration::from_millis(1500)));
    }
}
