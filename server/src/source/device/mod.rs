//! A camera of this machine, read by V4L2 (`linuxvideo`). Its truth is unknown unless `--truth` gives it.
//!
//! The device is opened once, before the server listens, and all sessions see its frames. `name` reads `--source`, `v4l2`
//! opens the device and agrees on a format, and `reader` is the thread that takes its frames. `layout` lists the formats
//! that can be read, `pixels` and `jpeg` turn a buffer into an image, and `stamp` reads the driver's timestamps. `hub`
//! shares the frames: each session takes the latest, and frames that it did not take in time are passed over.

// Elsewhere only the tests take buffers.
#![cfg_attr(not(all(target_os = "linux", feature = "v4l2")), allow(dead_code))]

mod asked;
mod error;
mod figures;
mod hub;
mod jpeg;
mod layout;
mod name;
mod pixels;
mod reader;
mod seat;
mod stamp;
mod supply;
#[cfg(all(target_os = "linux", feature = "v4l2"))]
mod v4l2;

pub use error::DeviceError;
pub use figures::DeviceFigures;
pub use layout::FourCc;
pub use stamp::{AgeFrom, Clock, Timestamp};

pub(in crate::source) use name::is_meant;
pub(super) use supply::DeviceKind;
