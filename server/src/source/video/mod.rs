//! A video: any file or network address that `ffmpeg` reads. Its truth is unknown unless `--truth` gives it.
//!
//! Decoding is ffmpeg's work, in a process of its own. `probe` asks ffprobe for size and rate before the server listens;
//! `playback` is the command line of ffmpeg, `reader` reads its frames, `process` keeps the processes from outliving
//! their source, `guard` refuses a change of size, and `pixels` says which pixels count.

mod address;
mod error;
mod guard;
mod pixels;
mod playback;
mod probe;
mod process;
mod reader;
mod supply;

pub use error::VideoError;
pub use process::Lines;

pub(super) use supply::VideoKind;
