//! Errors of video files and streams.

use shared::geometry::{Size, SizeError};
use shared::memory::NoMemory;
use shared::text::Escaped;
use thiserror::Error;

use super::process::Lines;

/// Why a video gives no frames, or no more.
#[derive(Debug, Error)]
pub enum VideoError {
    /// ffmpeg is not installed.
    #[error(
        "{source_name} is a video, which {program} reads, and PATH has no {program}: install ffmpeg (apt-get install \
         ffmpeg), or use a folder of images; of the Docker images only the one built with --target video has ffmpeg"
    )]
    NoProgram {
        /// The video.
        source_name: String,
        /// The program.
        program: &'static str,
    },
    /// The program could not be started, or its output could not be read.
    #[error("{program} cannot be run: {error}")]
    Program {
        /// The program.
        program: &'static str,
        /// What failed.
        error: std::io::Error,
    },
    /// There is no memory for a frame.
    #[error(transparent)]
    Memory(#[from] NoMemory),
    /// The program gave nothing for too long.
    #[error("{source_name}: {program} gave nothing for {seconds} s: check that the address is right and that it sends")]
    Silent {
        /// The video.
        source_name: String,
        /// The program.
        program: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// ffmpeg does not know the file's format, or cannot reach the address.
    #[error("{source_name} is not a video that ffmpeg can read{said}: name a video, or a folder of images")]
    NotAVideo {
        /// The file.
        source_name: String,
        /// What ffprobe said.
        said: Lines,
    },
    /// The run asks for 16 bits, and the video has fewer.
    #[error(
        "{source_name} has {pix_fmt} pixels: --pixel gray16 takes a video with more than 8 bits of gray or Y per pixel; \
         write --pixel gray8 or bgr8"
    )]
    Shallow {
        /// The video.
        source_name: String,
        /// ffmpeg's name of its pixel format.
        pix_fmt: String,
    },
    /// The file has no video stream.
    #[error("{source_name} has no video stream, only other media: name a video")]
    NoStream {
        /// The file.
        source_name: String,
    },
    /// The video has no frame.
    #[error("{source_name} has no frame{said}: name a video with at least one frame")]
    NoFrame {
        /// The file.
        source_name: String,
        /// What ffmpeg said.
        said: Lines,
    },
    /// A frame is larger than any frame may be.
    #[error("{source_name}: {error}")]
    Size {
        /// The file.
        source_name: String,
        /// The side that is too long.
        error: SizeError,
    },
    /// The frames do not have one size.
    #[error("{source_name}: frame {frame} is {got}, the frames before it are {first}: all frames must have one size")]
    Changed {
        /// The file.
        source_name: String,
        /// Index of the first frame of another size.
        frame: u64,
        /// Its size.
        got: Size,
        /// The size before.
        first: Size,
    },
    /// The file is damaged or cut short, or the stream broke.
    #[error("{source_name} breaks after frame {frame}{said}: the file is damaged or cut short")]
    Broken {
        /// The file.
        source_name: String,
        /// Index of the last whole frame.
        frame: u64,
        /// What ffmpeg said.
        said: Lines,
    },
    /// The address stopped sending.
    #[error("{source_name} breaks after frame {frame}{said}: the connection was lost, or the stream is damaged")]
    Lost {
        /// The address.
        source_name: String,
        /// Index of the last whole frame.
        frame: u64,
        /// What ffmpeg said.
        said: Lines,
    },
}

/// A file name or an address, as messages show it.
pub(super) fn shown(name: &str) -> String {
    Escaped(name).to_string()
}
