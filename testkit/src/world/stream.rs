//! The stream of frames in a world.

use bytes::{Bytes, BytesMut};
use shared::geometry::{Circle, Size};
use shared::image::PixelFormat;
use shared::protocol::encoding::Encoding;
use shared::protocol::fragment;
use shared::protocol::message::Frame;
use shared::time::Micros;

/// Size of a frame: small, because no test looks at its pixels.
pub(super) const SIZE: Size = Size { width: 40, height: 30 };

/// Default deadline of an answer: a frame whose answer takes longer is lost.
pub const DEADLINE_US: u64 = 50_000;

/// Largest message in bytes: each frame of 1200 bytes takes three fragments.
const MAX_MESSAGE_SIZE: usize = 560;

/// The ball in a frame.
pub fn truth(frame: u64) -> Circle {
    Circle { x: 15.0 + (frame % 10) as f64 * 0.37, y: 14.0, radius: 8.0 }
}

/// The three fragments of a frame.
pub(super) fn pieces(id: u64, captured: Micros) -> Vec<Bytes> {
    let message = Frame {
        id,
        captured_us: captured,
        width: SIZE.width,
        height: SIZE.height,
        pixel: PixelFormat::Gray8,
        encoding: Encoding::Raw,
        data: &[40; 1200],
        meta: None,
    };
    let pieces = fragment::split(id, &message, MAX_MESSAGE_SIZE).unwrap();
    assert_eq!(pieces.len(), 3);
    pieces.into_iter().map(BytesMut::freeze).collect()
}
