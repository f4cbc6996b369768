//! Frames.

use bytes::Bytes;

use super::Untranslatable;
use super::words::{read_encoding, read_meta, read_pixel, write_encoding, write_meta, write_pixel};
use crate::link::grpc::wire;
use crate::protocol::message::{Frame, decode_frame};
use crate::time::Micros;

/// The pixels stay where they are in the message.
pub(super) fn write(message: &Bytes) -> Result<wire::Frame, Untranslatable> {
    let Frame { id, captured_us, width, height, pixel, encoding, data, meta } = decode_frame(message)?;
    Ok(wire::Frame {
        id,
        captured_us: captured_us.0,
        width,
        height,
        pixel: write_pixel(pixel),
        encoding: write_encoding(encoding),
        meta: write_meta(meta),
        data: message.slice_ref(data),
    })
}

pub(super) fn read(frame: &wire::Frame) -> Result<Frame<'_>, Untranslatable> {
    Ok(Frame {
        id: frame.id,
        captured_us: Micros(frame.captured_us),
        width: frame.width,
        height: frame.height,
        pixel: read_pixel("frame", frame.pixel)?,
        encoding: read_encoding("frame", frame.encoding)?,
        data: &frame.data,
        meta: if frame.meta.is_empty() { None } else { read_meta(frame.meta.clone()) },
    })
}
