//! V4L2, the video devices of Linux, through the crate `linuxvideo`: `open` agrees with the driver on a format, `stream`
//! takes its buffers, and `query` reads timestamps and the rate, which `linuxvideo` does not give.

mod open;
mod query;
mod stream;

pub(super) use open::open;
