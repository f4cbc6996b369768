//! The messages that hold images.

use bytes::Bytes;
use prost::Message;

use super::ros::{self, Layout};
use crate::recording::foxglove::{COMPRESSED_IMAGE, CompressedImage, PROTOBUF, RAW_IMAGE, RawImage};

/// The messages that can be read, for people.
pub(super) const KINDS: &str =
    "foxglove.RawImage, foxglove.CompressedImage, or ROS's sensor_msgs Image and CompressedImage";

/// An image in a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ImageMessage {
    /// Pixels.
    Raw(RawPixels),
    /// A picture in the format of an image file.
    Picture(Bytes),
}

/// Pixels as they are in a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RawPixels {
    pub(super) width: u32,
    pub(super) height: u32,
    /// The name of their layout.
    pub(super) encoding: String,
    /// Bytes from one row to the next.
    pub(super) step: u32,
    pub(super) is_big_endian: bool,
    pub(super) data: Bytes,
}

/// How the images of a channel are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    FoxgloveRaw,
    FoxglovePicture,
    RosRaw(Layout),
    RosPicture(Layout),
}

impl Kind {
    /// The kind of a channel with this schema and encoding; `None` if it has no images that can be read.
    pub(super) fn of(schema: &str, encoding: &str) -> Option<Self> {
        Some(match (schema, encoding) {
            (RAW_IMAGE, PROTOBUF) => Self::FoxgloveRaw,
            (COMPRESSED_IMAGE, PROTOBUF) => Self::FoxglovePicture,
            ("sensor_msgs/msg/Image", "cdr") => Self::RosRaw(Layout::Cdr),
            ("sensor_msgs/msg/CompressedImage", "cdr") => Self::RosPicture(Layout::Cdr),
            ("sensor_msgs/Image", "ros1") => Self::RosRaw(Layout::Ros1),
            ("sensor_msgs/CompressedImage", "ros1") => Self::RosPicture(Layout::Ros1),
            _ => return None,
        })
    }

    /// Parses a message.
    ///
    /// # Errors
    /// Says what is wrong with the message.
    pub(super) fn read(self, data: Vec<u8>) -> Result<ImageMessage, String> {
        let data = Bytes::from(data);
        match self {
            Self::FoxgloveRaw => {
                let RawImage { width, height, encoding, step, data, .. } =
                    RawImage::decode(data).map_err(|error| error.to_string())?;
                Ok(ImageMessage::Raw(RawPixels { width, height, encoding, step, is_big_endian: false, data }))
            }
            Self::FoxglovePicture => {
                Ok(ImageMessage::Picture(CompressedImage::decode(data).map_err(|error| error.to_string())?.data))
            }
            Self::RosRaw(layout) => ros::image(layout, data).map(ImageMessage::Raw),
            Self::RosPicture(layout) => ros::picture(layout, data).map(ImageMessage::Picture),
        }
    }
}
