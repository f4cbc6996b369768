//! The header of a message: its length and its lane.

use thiserror::Error;

use crate::geometry::MAX_SIDE;
use crate::link::Lane;
use crate::protocol::fragment::MAX_HEADER;
use crate::protocol::message::FRAME_OVERHEAD;

/// Bytes of a header: the payload's length as an unsigned integer of four bytes, big-endian, and the lane.
pub(super) const HEADER: usize = 5;

/// Bytes of a pixel in the largest format, BGR.
const LARGEST_PIXEL: usize = 3;

/// Largest payload without pixels, in bytes: a message and the header of its fragment (docs/protocol.md). Bounds the
/// control lane too, whose messages are far smaller.
pub(super) const MAX_SMALL: usize = FRAME_OVERHEAD + MAX_HEADER;

/// Largest payload of any message, in bytes: a frame of the largest size in colour, with its other fields.
pub const MAX_PAYLOAD: usize = MAX_SIDE as usize * MAX_SIDE as usize * LARGEST_PIXEL + MAX_SMALL;

/// Why a peer's bytes are not a message.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum FramingError {
    /// The message is larger than this end accepts.
    #[error("a message of {bytes} bytes: at most {most} are accepted")]
    TooLarge { bytes: usize, most: usize },
    /// No lane has this number.
    #[error("a message on lane {0}: there are 0 (control), 1 (frames) and 2 (answers)")]
    Lane(u8),
}

/// The header of a payload of this many bytes, which [`MAX_PAYLOAD`] bounds.
pub(super) fn header(lane: Lane, bytes: usize) -> [u8; HEADER] {
    let [a, b, c, d] = (bytes as u32).to_be_bytes();
    [a, b, c, d, lane as u8]
}

/// Reads a header: the lane, and the payload's length, which is at most `most`, and at most [`MAX_SMALL`] on the control
/// lane.
pub(super) fn parse([a, b, c, d, lane]: [u8; HEADER], most: usize) -> Result<(Lane, usize), FramingError> {
    let bytes = u32::from_be_bytes([a, b, c, d]) as usize;
    let known = Lane::ALL.into_iter().find(|known| *known as u8 == lane).ok_or(FramingError::Lane(lane))?;
    let most = if known == Lane::Control { most.min(MAX_SMALL) } else { most };
    if bytes > most { Err(FramingError::TooLarge { bytes, most }) } else { Ok((known, bytes)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_written_exactly_as_documented() {
        assert_eq!(header(Lane::Control, 1), [0, 0, 0, 1, 0]);
        assert_eq!(header(Lane::Frames, 307_225), [0, 4, 0xb0, 0x19, 1]);
        assert_eq!(header(Lane::Answers, 0x0102_0304), [1, 2, 3, 4, 2]);
    }

    #[test]
    fn a_header_is_read_back_and_a_wrong_one_is_refused() {
        for lane in Lane::ALL {
            assert_eq!(parse(header(lane, 77), 77), Ok((lane, 77)));
        }
        let wrong = parse(header(Lane::Frames, 78), 77).unwrap_err();
        assert_eq!(wrong.to_string(), "a message of 78 bytes: at most 77 are accepted");
        assert_eq!(
            parse([0xff, 0xff, 0xff, 0xff, 0], 77).unwrap_err(),
            FramingError::TooLarge { bytes: u32::MAX as usize, most: 77 }
        );
        assert_eq!(parse(header(Lane::Frames, MAX_PAYLOAD), MAX_PAYLOAD), Ok((Lane::Frames, MAX_PAYLOAD)));
        assert_eq!(parse(header(Lane::Control, 65_561), MAX_PAYLOAD), Ok((Lane::Control, 65_561)));
        assert!(parse(header(Lane::Control, 65_562), MAX_PAYLOAD).is_err());
        assert_eq!(parse([0, 0, 0, 1, b'{'], 77), Err(FramingError::Lane(b'{')));
    }
}
