//! Errors of cameras.

use std::path::{Path, PathBuf};

use shared::geometry::SizeError;
use shared::image::PixelFormat;
use shared::text::Escaped;
use thiserror::Error;

use super::layout::{FourCc, LAYOUTS, listed};

/// Why a camera gives no frames, or no more. The system's error is kept as text, because all sessions get the same
/// failure.
#[derive(Clone, Debug, Error)]
pub enum DeviceError {
    /// What follows `camera:` is not a number.
    #[error(
        "--source \"{got}\" names no camera: write camera:0 for /dev/video0, camera:1 for /dev/video1, or a device's path"
    )]
    Name {
        /// What was written.
        got: String,
    },
    /// This program cannot read cameras.
    #[error(
        "{device} is a camera, which only a Linux build with the feature v4l2 reads: use a video or a folder of images"
    )]
    NotBuilt {
        /// The device.
        device: String,
    },
    /// There is no such device.
    #[error("{device} does not exist: {}; in a container, pass the camera on with docker run --device {device}", devices(.there))]
    Missing {
        /// The device.
        device: String,
        /// The video devices that exist.
        there: Vec<String>,
    },
    /// The path leads to something else.
    #[error("{device} is {what}, not a video device: {}", devices(.there))]
    NotADevice {
        /// What was named.
        device: String,
        /// What it is.
        what: &'static str,
        /// The video devices that exist.
        there: Vec<String>,
    },
    /// The device gives no pictures.
    #[error("{device} is a video device that gives no pictures ({why}): {}", devices(.there))]
    NotCapture {
        /// The device.
        device: String,
        /// What it is instead.
        why: &'static str,
        /// The video devices that exist.
        there: Vec<String>,
    },
    /// Another program uses the device.
    #[error("{device} is busy: another program uses this camera; end it, or name another camera")]
    Busy {
        /// The device.
        device: String,
    },
    /// The system refuses to open the device.
    #[error(
        "permission to open {device} was refused: join the group video (sudo usermod -aG video $USER, then log in again); in \
         a container, add --device {device} and --group-add $(stat -c %g {device})"
    )]
    Permission {
        /// The device.
        device: String,
    },
    /// The device has no format that can be read as these pixels.
    #[error(
        "{device} has no format for --pixel {pixel}: it gives {}, and {pixel} is read from {}",
        listed(has.iter().copied()),
        listed(readable(*pixel))
    )]
    NoFormat {
        /// The device.
        device: String,
        /// The pixel format of the run.
        pixel: PixelFormat,
        /// The formats of the device.
        has: Vec<FourCc>,
    },
    /// The format that was asked for cannot be read as these pixels.
    #[error("--device-format {asked} does not go with --pixel {pixel}, which is read from {}", listed(readable(*pixel)))]
    Unreadable {
        /// The format asked for.
        asked: FourCc,
        /// The pixel format of the run.
        pixel: PixelFormat,
    },
    /// The device does not have the format that was asked for.
    #[error("--device-format {asked} is not a format of {device}, which gives {}", listed(has.iter().copied()))]
    OtherFormat {
        /// The device.
        device: String,
        /// The format asked for.
        asked: FourCc,
        /// The formats of the device.
        has: Vec<FourCc>,
    },
    /// A frame is larger than any frame may be.
    #[error("{device}: {error}")]
    Size {
        /// The device.
        device: String,
        /// The side that is too long.
        error: SizeError,
    },
    /// The system refused a step.
    #[error("{device}: cannot {step}: {error}")]
    Step {
        /// The device.
        device: String,
        /// What was tried.
        step: &'static str,
        /// What the system said.
        error: String,
    },
    /// The device went away.
    #[error("{device} was unplugged, or its driver left, after {}", frames(*read))]
    Unplugged {
        /// The device.
        device: String,
        /// Frames read before.
        read: u64,
    },
    /// For too long, the driver gave no frames or only damaged ones.
    #[error("{device} gave no whole frame for {seconds} s, after {}: check its cable, and its format", frames(*read))]
    Silent {
        /// The device.
        device: String,
        /// The limit.
        seconds: u64,
        /// Frames read before.
        read: u64,
    },
    /// Reading a frame failed.
    #[error("{device} broke after {}: {error}", frames(*read))]
    Broken {
        /// The device.
        device: String,
        /// Frames read before.
        read: u64,
        /// What the system said.
        error: String,
    },
}

/// A path, as messages show it.
pub(super) fn shown(path: &Path) -> String {
    Escaped(&path.to_string_lossy()).to_string()
}

/// The video devices of this machine, in natural order.
pub(super) fn video_devices() -> Vec<String> {
    let entries = std::fs::read_dir("/dev").into_iter().flatten().flatten();
    let is_video = |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"video"));
    let mut devices: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_video).collect();
    alphanumeric_sort::sort_path_slice(&mut devices);
    devices.iter().map(|path| shown(path)).collect()
}

fn devices(there: &[String]) -> String {
    match there {
        [] => "this machine has no /dev/video*".to_owned(),
        some => format!("there are {}", some.join(", ")),
    }
}

fn readable(pixel: PixelFormat) -> Vec<FourCc> {
    LAYOUTS.iter().filter(|layout| layout.gives(pixel)).map(|layout| layout.code).collect()
}

fn frames(read: u64) -> String {
    if read == 1 { "1 frame".to_owned() } else { format!("{read} frames") }
}
