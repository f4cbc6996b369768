//! What both ends of Plumb must agree on.
//!
//! # Conventions
//!
//! - **Pixels**: pixel centres are at integer coordinates; the origin is the centre of the top-left pixel,
//!   x points right, y down (as OpenCV). A disc drawn by `cv2.circle` at (10, 20) has its centre at (10.0, 20.0).
//! - **Images** are row-major `[rows, columns]` (gray) or `[rows, columns, 3]` (BGR, as OpenCV). Sizes are written
//!   `WIDTHxHEIGHT`.
//! - **Units**: lengths in pixels (`f64`), angles in radians, rates in Hz, times in integer microseconds of one
//!   monotonic clock ([`time::Micros`]).
//! - **Time** is an argument: nothing here reads a clock but [`time::MonotonicClock`], which only shells hold.
//! # Modules
//!
//! [`geometry`] and [`image`] describe images and what is found in them. [`lens`] maps planes to images. [`protocol`]
//! defines how messages are written.
//! [`flow`] decides when frames may be sent and when a peer counts as gone. A [`link`] carries messages. It is opened
//! through a [`door`]: the port of the end that listens, where [`admission`] checks the token. Connections to it are
//! [`socket`]s, in the clear or inside [`tls`]. [`connect`] reaches the port of a peer, and tries again until the peer
//! answers. [`tuned`] reads the settings that a search found. [`canvas`] draws what windows show. [`memory`] makes large
//! buffers, [`pool`] reuses those of frames in flight. [`text`] makes foreign text safe to print, and [`near`] suggests
//! names for unknown ones.

pub mod admission;
pub mod bounded;
pub mod canvas;
pub mod connect;
pub mod door;
pub mod flow;
pub mod geometry;
pub mod image;
pub mod json;
pub mod lens;
pub mod link;
pub mod memory;
pub mod near;
pub mod pool;
pub mod protocol;
pub mod shell;
pub mod socket;
pub mod text;
pub mod time;
pub mod tls;
pub mod tuned;
