//! V4L2, the video devices of Linux, by the crate `linuxvideo`: `open` agrees with the driver on a format, `stream` takes
//! its buffers, `query` asks what `linuxvideo` does not tell: timestamps and the rate.

mod open;
mod query;
mod stream;

pub(super) use open::open;
