//! What is sent, how often and how long.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use clap::{ArgAction, Args, ValueHint};
use schemars::JsonSchema;
use serde::Serialize;
use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::protocol::message::MetaValue;

use super::meta::{self, GivenMeta};
use super::rate::FrameRate;
use super::text;
use crate::camera::CAMERA_HEADING;
use crate::scene::{Balls, MAX_SPEED_PX_S, Radii};
use crate::source::FourCc;
use crate::task::TaskName;

/// Size of the frames if neither an option nor an image sets it.
pub const DEFAULT_SIZE: Size = Size { width: 640, height: 480 };

/// Largest noise of a depth reading, in mm. It is stated for a distance of 1 m, so more would exceed the distance
/// itself.
const MAX_DEPTH_NOISE_MM: f64 = 1000.0;

/// What is sent.
#[derive(Args, Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[command(next_help_heading = "Frames")]
pub struct Sent {
    /// Source of the frames: ball (simulated); depth (a simulated depth camera); camera:0 or a device such as
    /// /dev/video0 (a camera of this machine); a video file or an address such as rtsp://…, read by ffmpeg; an MCAP file
    /// such as the run.mcap of --record; or a folder of images or a pattern such as 'frames/*.png' (images of one size,
    /// sent in natural order)
    #[arg(long, value_name = "SOURCE", default_value = "ball", value_hint = ValueHint::AnyPath)]
    pub source: String,

    /// Play a file or a folder again from its start when it ends
    #[arg(id = "loop", long = "loop")]
    #[serde(rename = "loop")]
    pub repeat: bool,

    /// With an MCAP file as source: topic of the images [default: the only topic with images, or that of the first
    /// session in a recording]
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,

    /// Truth of the frames of a video, a folder or a camera: a CSV file with the header frame,x,y,radius (task circle) or
    /// frame,count (task count), where frame is the index at the source, from 0
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub truth: Option<String>,

    /// Metadata of the stream for clients, such as --meta camera=left --meta gain=2.5; repeatable. A value is true or
    /// false, a number, or text; a value in quotes is always text
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append)]
    #[serde(serialize_with = "meta::serialize")]
    #[schemars(with = "BTreeMap<String, MetaValue>")]
    pub meta: Vec<GivenMeta>,

    /// TOML file with metadata of the stream; nested tables become keys with a dot, such as event.id; --meta overrides
    /// its keys
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub meta_file: Option<String>,

    /// Task of the pipeline: circle (find the ball), count (say how many balls the frame shows), ack (acknowledge each
    /// frame; only delivery and latency are scored), or image (send the processed frame back) [default: circle, or that
    /// of --truth, or ack if the truth is not known]
    #[arg(long, value_name = "TASK")]
    #[schemars(with = "Option<String>")]
    pub task: Option<TaskName>,

    /// With --task count: balls in each frame, or a range from which each frame draws a number [default: 0..6, or as
    /// many as fit]
    #[arg(long, value_name = "N|MIN..MAX")]
    #[serde(serialize_with = "text::optional_display")]
    #[schemars(with = "Option<String>")]
    pub balls: Option<Balls>,

    /// With --task count: largest overlap of two balls, as a share of the smaller ball's area [default: 0.1]
    #[arg(long, value_name = "SHARE")]
    #[schemars(range(min = 0, max = 0.9), extend("takes" = "a share of a ball's area from {}"))]
    pub overlap: Option<f64>,

    /// Size of the frames in px [default: 640x480, 512x424 with --source depth, or the size of the video, the images or
    /// the camera]
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    #[serde(serialize_with = "text::optional_display")]
    #[schemars(with = "Option<String>")]
    pub size: Option<Size>,

    /// Pixel format: gray8, bgr8, or gray16 (depth, and images of 16 bits in a folder; clients must be able to read it)
    /// [default: gray8, or gray16 with --source depth]
    #[arg(long, value_name = "FORMAT")]
    pub pixel: Option<PixelFormat>,

    /// Frames per second: a number, source (the rate of the video or the camera), or max (as fast as the window allows)
    /// [default: 60; 30 with --source depth; the rate of the video or the camera]
    #[arg(long, value_name = "HZ")]
    #[serde(serialize_with = "text::optional_number_or_word")]
    #[schemars(with = "Option<text::NumberOrWord>")]
    pub fps: Option<FrameRate>,

    /// With a camera as source: format of its buffers, such as GREY, YUYV, NV12, MJPG or Z16 [default: the one that needs
    /// the least conversion]
    #[arg(long, value_name = "FOURCC")]
    #[serde(serialize_with = "text::optional_display")]
    #[schemars(with = "Option<String>")]
    pub device_format: Option<FourCc>,

    /// Number of frames to send to each client [default: no limit]
    #[arg(long, value_name = "N")]
    #[schemars(range(min = 1), extend("takes" = "a whole number of frames from {}"))]
    pub frames: Option<NonZeroU64>,

    /// How long to send to each client, counted from its first frame, such as 10s [default: no limit]
    #[arg(long, value_name = "TIME", value_parser = text::parse_duration)]
    #[serde(serialize_with = "text::optional_duration")]
    #[schemars(with = "Option<String>")]
    pub duration: Option<Duration>,

    /// Seed of everything random; the same seed gives the same frames [default: drawn at random and printed]
    #[arg(long, value_name = "N")]
    #[schemars(range(min = 0), extend("takes" = "a whole number from {} to 2^64 - 1"))]
    pub seed: Option<u64>,

    /// Mean speed of the ball along each axis, in px/s; each bounce draws a new speed from 0.5 to 1.5 times the mean
    #[arg(long, value_name = "PX/S", default_value_t = 200.0)]
    #[schemars(range(min = 0, max = MAX_SPEED_PX_S), extend("takes" = "a speed of {} px/s"))]
    pub speed: f64,

    /// With --source depth: standard deviation of a reading at a distance of 1 m, in mm; it grows with the square of
    /// the distance
    #[arg(long, value_name = "MM", default_value_t = 0.0)]
    #[schemars(range(min = 0, max = MAX_DEPTH_NOISE_MM), extend("takes" = "a standard deviation of {} mm"))]
    pub depth_noise: f64,

    /// Radius of the ball in px, or a range from which each frame draws a radius [default: 1/24 of the frame's shorter
    /// side, at least 8: 20 at 640x480]
    #[arg(long, value_name = "PX|MIN..MAX", help_heading = CAMERA_HEADING)]
    #[serde(serialize_with = "text::optional_display")]
    #[schemars(with = "Option<String>")]
    pub radius: Option<Radii>,

    /// Lens from a file as OpenCV and ROS have it (camera_info YAML), such as the camera.yaml of server calibrate: focal
    /// lengths, principal point, distortion and the size of the frames. --focal, --centre and --distortion override it
    #[arg(long, value_name = "FILE.yaml", value_hint = ValueHint::FilePath, help_heading = CAMERA_HEADING)]
    pub lens: Option<String>,

    /// Let part of the ball leave the frame; its centre stays inside
    #[arg(long, help_heading = CAMERA_HEADING)]
    pub border: bool,
}
