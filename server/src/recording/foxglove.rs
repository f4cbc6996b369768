//! Foxglove's messages, and the conversion between its coordinates and Plumb's.
//!
//! The origin of Foxglove's annotations is the outer corner of the first pixel, that of Plumb's coordinates is its
//! centre.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::use_self,
    reason = "made from proto/foxglove.proto, which explains each message"
)]

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use shared::geometry::CircleEstimate;

include!(concat!(env!("OUT_DIR"), "/foxglove.rs"));

/// The description of the messages in an MCAP file: a `FileDescriptorSet`.
pub(crate) const DESCRIPTION: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/foxglove.bin"));

/// Schema of raw pixels.
pub(crate) const RAW_IMAGE: &str = "foxglove.RawImage";

/// Number of its field with the pixels.
pub(crate) const RAW_IMAGE_DATA: u32 = 6;

/// Schema of pictures.
pub(crate) const COMPRESSED_IMAGE: &str = "foxglove.CompressedImage";

/// Number of its field with the picture.
pub(crate) const COMPRESSED_IMAGE_DATA: u32 = 2;

/// Schema of annotations.
pub(crate) const ANNOTATIONS: &str = "foxglove.ImageAnnotations";

/// Encoding of these messages and of their schemas.
pub(crate) const PROTOBUF: &str = "protobuf";

/// From the centre of a pixel to its outer corner.
const HALF_PIXEL: f64 = 0.5;

/// Diameter of the mark for a centre without a radius, in px.
const DOT: f64 = 5.0;

/// Width of a line, in px.
const LINE: f64 = 1.0;

/// Size of the text, in px: a line is lower than the smallest ball of the default size.
const FONT: f64 = 12.0;

/// Colour of the truth: green.
pub(crate) const TRUTH_COLOUR: Color = Color { r: 0.25, g: 0.85, b: 0.4, a: 1.0 };

/// Colour of an answer: orange.
pub(crate) const ESTIMATE_COLOUR: Color = Color { r: 1.0, g: 0.6, b: 0.1, a: 1.0 };

/// Converts a time in ns since 1970 to a message's time stamp.
pub(crate) fn timestamp(ns: u64) -> prost_types::Timestamp {
    const NS: u64 = 1_000_000_000;
    // 2^64 ns are 584 years, and the remainder is below 2^30.
    prost_types::Timestamp { seconds: (ns / NS) as i64, nanos: (ns % NS) as i32 }
}

/// Converts a point to Foxglove's coordinates.
pub(crate) fn point(x: f64, y: f64) -> Point2 {
    Point2 { x: x + HALF_PIXEL, y: y + HALF_PIXEL }
}

/// Annotations of a circle at this time, labelled with a text. Without a radius they mark the centre.
pub(crate) fn marks(circle: CircleEstimate, ns: u64, colour: Color, text: Option<String>) -> ImageAnnotations {
    let (at, place) = (Some(timestamp(ns)), point(circle.x, circle.y));
    let beside = Point2 { x: place.x + circle.radius.unwrap_or(DOT) + LINE, y: place.y };
    let mut marks = ImageAnnotations::default();
    match circle.radius {
        Some(radius) => marks.circles.push(CircleAnnotation {
            timestamp: at,
            position: Some(place),
            diameter: 2.0 * radius,
            thickness: LINE,
            outline_color: Some(colour),
            ..CircleAnnotation::default()
        }),
        None => marks.points.push(PointsAnnotation {
            timestamp: at,
            r#type: points_annotation::Type::Points.into(),
            points: vec![place],
            outline_color: Some(colour),
            fill_color: Some(colour),
            thickness: DOT,
            ..PointsAnnotation::default()
        }),
    }
    marks.texts.extend(text.map(|text| TextAnnotation {
        timestamp: at,
        position: Some(beside),
        text,
        font_size: FONT,
        text_color: Some(colour),
        background_color: Some(Color { a: 0.5, ..Color::default() }),
        ..TextAnnotation::default()
    }));
    marks
}

/// Encodes a message with an empty data field, followed by the head of the field with this number for data of this
/// length. The data complete the message.
pub(crate) fn before_data(message: &impl Message, field: u32, length: usize) -> Vec<u8> {
    let mut head = message.encode_to_vec();
    encode_key(field, WireType::LengthDelimited, &mut head);
    encode_varint(length as u64, &mut head);
    head
}

/// The bytes of a message.
pub(crate) fn bytes(message: &impl Message) -> Vec<u8> {
    message.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_shifted_by_half_a_pixel_and_read_back_exactly() {
        for (x, y, radius) in [(0.0, 0.0, 0.5), (319.123_456_789, 8_191.999_999_9, 20.000_000_1)] {
            let circle = CircleEstimate { x, y, radius: Some(radius) };
            let marks = marks(circle, 1_700_000_000_123_456_789, TRUTH_COLOUR, None);
            let [mark] = &marks.circles[..] else { panic!("one circle") };
            let place = mark.position.unwrap();
            assert!((place.x - 0.5 - x).abs() < 1e-9 && (place.y - 0.5 - y).abs() < 1e-9, "{place:?}");
            assert_eq!(mark.diameter, 2.0 * radius);
            assert_eq!(mark.timestamp.unwrap(), prost_types::Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 });
        }
    }

    #[test]
    fn data_after_a_message_become_its_field() {
        let (data, timestamp) = (bytes::Bytes::new(), Some(timestamp(7)));
        let raw =
            RawImage { timestamp, width: 2, height: 1, encoding: "mono8".into(), step: 2, data, frame_id: "c".into() };
        let written = [before_data(&raw, RAW_IMAGE_DATA, 300), vec![9; 300]].concat();
        assert_eq!(RawImage::decode(&written[..]).unwrap(), RawImage { data: vec![9; 300].into(), ..raw });
        let picture = CompressedImage { timestamp, format: "png".into(), ..CompressedImage::default() };
        let written = [before_data(&picture, COMPRESSED_IMAGE_DATA, 2), vec![8; 2]].concat();
        assert_eq!(
            CompressedImage::decode(&written[..]).unwrap(),
            CompressedImage { data: vec![8; 2].into(), ..picture }
        );
    }

    #[test]
    fn a_circle_without_a_radius_is_a_point_with_its_text_beside_it() {
        let circle = CircleEstimate { x: 3.0, y: 4.0, radius: None };
        let marks = marks(circle, 0, ESTIMATE_COLOUR, Some("0.1 px".into()));
        assert!(marks.circles.is_empty());
        assert_eq!((marks.points[0].points[0], marks.texts[0].position.unwrap().y), (Point2 { x: 3.5, y: 4.5 }, 4.5));
    }
}
