//! Plays the images of an MCAP file: one of Plumb's recordings, with its truth, or a file from another program.
//!
//! `look` inspects a file before the server listens: its topics (`known`), the format of its images, its rate. Each session
//! then reads the file from its start (`reader`), on a separate thread. `message` parses the messages that contain images
//! (`ros` those of ROS), and `pixels` converts them to images. `supply` is the interface to the run.

mod error;
pub mod fuzz;
mod known;
mod look;
mod message;
mod pixels;
mod reader;
mod ros;
mod supply;

pub use error::McapFileError;

pub(super) use supply::{McapKind, is_meant};
