//! Images of an MCAP file: a recording of Plumb's, with its truth, or a file of others.
//!
//! A file is `look`ed at before the server listens: its topics, the format of its images, its rate. Each session then reads
//! it from its start (`reader`), on a thread of its own. `message` reads the messages that hold images (`ros` those of
//! ROS), `pixels` makes images of them. `supply` is what the run sees.

mod error;
pub mod fuzz;
mod look;
mod message;
mod pixels;
mod reader;
mod ros;
mod supply;

pub use error::McapFileError;

pub(super) use supply::{McapKind, is_meant};
