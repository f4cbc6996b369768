//! Words and metadata: values that both forms name.

use super::Untranslatable;
use crate::image::PixelFormat;
use crate::link::grpc::wire::{self, meta_value};
use crate::protocol::encoding::{Encoding, JpegQuality, StreamEncoding};
use crate::protocol::message::{Meta, MetaValue, Role};

/// Metadata as prost makes it.
type WireMeta = std::collections::BTreeMap<String, wire::MetaValue>;

pub(super) fn write_pixel(pixel: PixelFormat) -> i32 {
    let pixel = match pixel {
        PixelFormat::Gray8 => wire::Pixel::Gray8,
        PixelFormat::Bgr8 => wire::Pixel::Bgr8,
        PixelFormat::Gray16 => wire::Pixel::Gray16,
    };
    pixel.into()
}

pub(super) fn read_pixel(message: &'static str, value: i32) -> Result<PixelFormat, Untranslatable> {
    match wire::Pixel::try_from(value) {
        Ok(wire::Pixel::Gray8) => Ok(PixelFormat::Gray8),
        Ok(wire::Pixel::Bgr8) => Ok(PixelFormat::Bgr8),
        Ok(wire::Pixel::Gray16) => Ok(PixelFormat::Gray16),
        Ok(wire::Pixel::Unspecified) | Err(_) => {
            Err(Untranslatable::Word { message, field: "pixel", value, right: "PIXEL_GRAY8, _BGR8 or _GRAY16" })
        }
    }
}

pub(super) fn write_encoding(encoding: Encoding) -> i32 {
    let encoding = match encoding {
        Encoding::Raw => wire::Encoding::Raw,
        Encoding::Lz4 => wire::Encoding::Lz4,
        Encoding::Png => wire::Encoding::Png,
        Encoding::Jpeg => wire::Encoding::Jpeg,
    };
    encoding.into()
}

pub(super) fn read_encoding(message: &'static str, value: i32) -> Result<Encoding, Untranslatable> {
    match wire::Encoding::try_from(value) {
        Ok(wire::Encoding::Raw) => Ok(Encoding::Raw),
        Ok(wire::Encoding::Lz4) => Ok(Encoding::Lz4),
        Ok(wire::Encoding::Png) => Ok(Encoding::Png),
        Ok(wire::Encoding::Jpeg) => Ok(Encoding::Jpeg),
        Ok(wire::Encoding::Unspecified) | Err(_) => {
            Err(Untranslatable::Word { message, field: "encoding", value, right: "ENCODING_RAW, _LZ4, _PNG or _JPEG" })
        }
    }
}

/// The encoding of a stream, and the quality if it is JPEG.
pub(super) fn write_stream_encoding(encoding: StreamEncoding) -> (i32, u32) {
    let (encoding, quality) = match encoding {
        StreamEncoding::Raw => (wire::StreamEncoding::Raw, 0),
        StreamEncoding::Lz4 => (wire::StreamEncoding::Lz4, 0),
        StreamEncoding::Auto => (wire::StreamEncoding::Auto, 0),
        StreamEncoding::Png => (wire::StreamEncoding::Png, 0),
        StreamEncoding::Jpeg(quality) => (wire::StreamEncoding::Jpeg, quality.get().into()),
    };
    (encoding.into(), quality)
}

pub(super) fn read_stream_encoding(value: i32, jpeg_quality: u32) -> Result<StreamEncoding, Untranslatable> {
    let wrong = |field, value, right| Untranslatable::Word { message: "stream", field, value, right };
    match wire::StreamEncoding::try_from(value) {
        Ok(wire::StreamEncoding::Raw) => Ok(StreamEncoding::Raw),
        Ok(wire::StreamEncoding::Lz4) => Ok(StreamEncoding::Lz4),
        Ok(wire::StreamEncoding::Auto) => Ok(StreamEncoding::Auto),
        Ok(wire::StreamEncoding::Png) => Ok(StreamEncoding::Png),
        Ok(wire::StreamEncoding::Jpeg) => {
            let quality = u8::try_from(jpeg_quality).ok().and_then(JpegQuality::new);
            let shown = i32::try_from(jpeg_quality).unwrap_or(i32::MAX);
            quality.map(StreamEncoding::Jpeg).ok_or_else(|| wrong("jpeg_quality", shown, "1 to 100"))
        }
        Ok(wire::StreamEncoding::Unspecified) | Err(_) => {
            Err(wrong("encoding", value, "STREAM_ENCODING_RAW, _LZ4, _AUTO, _PNG or _JPEG"))
        }
    }
}

pub(super) fn write_role(role: Role) -> i32 {
    let role = match role {
        Role::Source => wire::Role::Source,
        Role::Sink => wire::Role::Sink,
    };
    role.into()
}

pub(super) fn read_role(value: i32) -> Result<Role, Untranslatable> {
    match wire::Role::try_from(value) {
        Ok(wire::Role::Source) => Ok(Role::Source),
        Ok(wire::Role::Sink) => Ok(Role::Sink),
        Ok(wire::Role::Unspecified) | Err(_) => {
            Err(Untranslatable::Word { message: "hello", field: "role", value, right: "ROLE_SOURCE or ROLE_SINK" })
        }
    }
}

pub(super) fn write_meta(meta: Option<Meta>) -> WireMeta {
    let value = |value| match value {
        MetaValue::Bool(value) => meta_value::Value::Boolean(value),
        MetaValue::Integer(value) => meta_value::Value::Integer(value),
        MetaValue::Real(value) => meta_value::Value::Real(value),
        MetaValue::Text(value) => meta_value::Value::Text(value),
    };
    let entries = meta.unwrap_or_default().into_iter();
    entries.map(|(key, read)| (key, wire::MetaValue { value: Some(value(read)) })).collect()
}

/// Entries without a value are left out, as nil ones are.
pub(super) fn read_meta(meta: WireMeta) -> Option<Meta> {
    let value = |value| match value {
        meta_value::Value::Boolean(value) => MetaValue::Bool(value),
        meta_value::Value::Integer(value) => MetaValue::Integer(value),
        meta_value::Value::Real(value) => MetaValue::Real(value),
        meta_value::Value::Text(value) => MetaValue::Text(value),
    };
    let meta: Meta = meta.into_iter().filter_map(|(key, read)| Some((key, value(read.value?)))).collect();
    (!meta.is_empty()).then_some(meta)
}
