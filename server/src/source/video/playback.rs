//! How ffmpeg is called to play a video.

use std::process::Command;

use shared::geometry::Size;

use super::address::Address;
use super::guard;
use super::pixels::Wanted;

/// The program that decodes.
pub(super) const PROGRAM: &str = "ffmpeg";

/// A video and how to play it.
#[derive(Clone, Debug)]
pub(super) struct Playback {
    pub(super) address: Address,
    pub(super) size: Size,
    pub(super) wanted: Wanted,
    pub(super) has_fps_mode: bool,
    /// Whether it is played again from the start when it ends.
    pub(super) repeats: bool,
}

impl Playback {
    /// ffmpeg's command line. Every frame of the file comes once: ffmpeg neither repeats frames nor leaves any out to
    /// make a variable rate even.
    pub(super) fn command(&self) -> Command {
        let Self { address, size, wanted, has_fps_mode, .. } = self;
        let mut command = Command::new(PROGRAM);
        command.args(["-nostdin", "-hide_banner", "-v", "error"]);
        if address.is_file() {
            // Without it, ffmpeg conceals damage and goes on with pixels that the file does not have.
            command.arg("-xerror");
        }
        command.args(address.options()).arg("-i").arg(address.input());
        command.args(["-map", "0:V:0", "-vf", &wanted.filters(&guard::filter(*size))]);
        command.args([if *has_fps_mode { "-fps_mode" } else { "-vsync" }, "passthrough"]);
        // One thread for the output: with several, ffmpeg holds frames back and loses them when a later one fails.
        command.args(["-threads", "1", "-f", "rawvideo", "-pix_fmt", &wanted.pix_fmt, "pipe:1"]);
        command
    }
}
