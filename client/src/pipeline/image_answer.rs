//! The answer of a pipeline of the task `image`.

use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::protocol::message::{Payload, Value};

/// The payload of an image: `data` are its pixels, row by row.
pub(crate) fn image_payload(size: Size, _pixel: PixelFormat, _data: Vec<u8>) -> Payload<'static> {
    Payload::new("image")
        .with("width", Value::Integer(size.width.into()))
        .with("height", Value::Integer(size.height.into()))
}
