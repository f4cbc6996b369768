//! Payloads of the task `image`: an image that the pipeline made of the frame.

use std::borrow::Cow;

use super::payload::{Payload, PayloadError, Value};
use crate::geometry::Size;
use crate::image::{ImageView, PixelFormat};
use crate::protocol::encoding::{self, Encoding};

/// Kind of an answer that is an image.
pub const IMAGE: &str = "image";

/// The task whose answers are images. They are as large as frames, so a client sends them one after another.
pub const IMAGE_TASK: &str = "image";

/// Valid widths and heights, for errors.
const SIDE: &str = "a whole number from 1 to 8192";

/// An image as an answer carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageAnswer<'a> {
    /// Its size.
    pub size: Size,
    /// Its pixel layout.
    pub pixel: PixelFormat,
    /// How its pixels are written.
    pub encoding: Encoding,
    /// The pixels, in this encoding.
    pub data: Cow<'a, [u8]>,
}

impl<'a> ImageAnswer<'a> {
    /// Reads a payload without decoding its pixels.
    ///
    /// # Errors
    /// [`PayloadError`] for another kind, a missing field, or a value out of range.
    pub fn read(payload: &'a Payload<'_>) -> Result<Self, PayloadError> {
        if payload.kind() != IMAGE {
            return Err(payload.unexpected("image, dropped"));
        }
        let [width, height] = [side(payload, "width")?, side(payload, "height")?];
        let pixel = word(payload, "pixel", "gray8, bgr8 or gray16", |name| name.parse().ok())?;
        let encoding = word(payload, "encoding", "raw, lz4 or png", written)?;
        let data = Cow::Borrowed(payload.bytes("data")?);
        Ok(Self { size: Size { width, height }, pixel, encoding, data })
    }

    /// Makes a payload.
    pub fn write(self) -> Payload<'a> {
        Payload::new(IMAGE)
            .with("width", Value::Integer(self.size.width.into()))
            .with("height", Value::Integer(self.size.height.into()))
            .with("pixel", Value::Text(self.pixel.name()))
            .with("encoding", Value::Text(self.encoding.name()))
            .with("data", Value::Bytes(self.data))
    }

    /// Decodes the pixels. Blocks and PNG are decoded into `memory`.
    ///
    /// # Errors
    /// [`PayloadError`] if the image has more than `most` bytes, before memory is taken for it, or if `data` is not its
    /// pixels.
    pub fn image<'i>(&'i self, most: usize, memory: &'i mut Vec<u8>) -> Result<ImageView<'i>, PayloadError> {
        let Self { size, pixel, .. } = *self;
        if pixel.bytes(size) > most {
            return Err(PayloadError::TooLarge { size, pixel, bytes: pixel.bytes(size), most });
        }
        Ok(encoding::decode(self.encoding, &self.data, size, pixel, memory)?)
    }
}

fn side(payload: &Payload<'_>, field: &'static str) -> Result<u32, PayloadError> {
    let sides = payload.integer(field)?;
    let side = u64::try_from(sides).ok().and_then(|side| Size::new(side, side).ok());
    side.map(|square| square.width).ok_or(PayloadError::Type { field, expected: SIDE })
}

/// A word that stands for one of a few values.
fn word<T>(
    payload: &Payload<'_>,
    field: &'static str,
    expected: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, PayloadError> {
    read(payload.text(field)?).ok_or(PayloadError::Type { field, expected })
}

fn written(name: &str) -> Option<Encoding> {
    // A picture that was changed on its way cannot be compared with its frame.
    let lossless = [Encoding::Raw, Encoding::Lz4, Encoding::Png];
    lossless.into_iter().find(|encoding| encoding.name() == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::bytes;
    use super::super::{Answer, AnswerTimes, decode_answer};
    use super::*;
    use crate::protocol::encoding::Lz4Encoder;

    fn answer(payload: Payload<'_>) -> Vec<u8> {
        bytes(&Answer { frame: 7, payload, times: AnswerTimes::default() })
    }

    fn image(width: u32, height: u32, data: &[u8]) -> ImageAnswer<'_> {
        let (size, pixel, encoding) = (Size { width, height }, PixelFormat::Gray8, Encoding::Raw);
        ImageAnswer { size, pixel, encoding, data: Cow::Borrowed(data) }
    }

    /// Why an image is refused by an end that takes 12 bytes of pixels.
    fn refused(payload: Payload<'_>) -> String {
        let read = ImageAnswer::read(&payload);
        let refused = read.and_then(|answer| answer.image(12, &mut Vec::new()).map(|image| image.size()));
        refused.unwrap_err().to_string()
    }

    #[test]
    fn an_image_comes_back_as_it_was_written_and_stays_in_its_message() {
        let written = answer(image(4, 3, &[9; 12]).write());
        let decoded = decode_answer(&written).unwrap();
        let read = ImageAnswer::read(&decoded.payload).unwrap();
        assert_eq!(read, image(4, 3, &[9; 12]));
        assert!(written.as_ptr_range().contains(&read.data.as_ptr()), "the pixels are not copied");
    }

    #[test]
    fn a_wrong_image_is_refused_with_what_is_wrong() {
        assert_eq!(refused(Payload::new("circle")), "kind \"circle\" is not one of image, dropped");
        assert_eq!(refused(Payload::new(IMAGE)), "kind \"image\" without width");
        assert_eq!(refused(image(4, 3, &[9; 11]).write()), "11 bytes do not fill a 4x3 gray8 image: 12 are needed");
        assert_eq!(
            refused(image(4, 4, &[9; 16]).write()),
            "a 4x4 gray8 image has 16 bytes: at most the frame's 12 are accepted"
        );
        let named = |pixel, encoding| {
            Payload::new(IMAGE)
                .with("width", Value::Integer(4))
                .with("height", Value::Integer(3))
                .with("pixel", pixel)
                .with("encoding", encoding)
                .with("data", Value::Bytes(Cow::Borrowed(&[9; 12])))
        };
        let raw = || Value::Text("raw");
        assert_eq!(refused(named(Value::Text("rgb24"), raw())), "pixel is not gray8, bgr8 or gray16");
        assert_eq!(refused(named(Value::Integer(8), raw())), "pixel is not text");
        assert_eq!(refused(named(Value::Text("gray8"), Value::Text("jpeg"))), "encoding is not raw, lz4 or png");
    }

    #[test]
    fn sides_out_of_range_are_refused() {
        for side in [0, -1, 8193, i128::from(u64::MAX)] {
            let payload = Payload::new(IMAGE).with("width", Value::Integer(side)).with("height", Value::Integer(1));
            assert_eq!(refused(payload), format!("width is not {SIDE}"), "{side}");
        }
    }

    #[test]
    fn a_block_that_claims_more_than_the_frame_allocates_no_memory() {
        let (size, pixel, encoding) = (Size { width: 8192, height: 8192 }, PixelFormat::Bgr8, Encoding::Lz4);
        let mut encoder = Lz4Encoder::default();
        let block = encoder.encode(&[0; 1 << 20]).unwrap();
        let mut memory = Vec::new();
        let bomb = ImageAnswer { size, pixel, encoding, data: Cow::Borrowed(block) };
        assert!(matches!(bomb.image(1 << 20, &mut memory), Err(PayloadError::TooLarge { .. })));
        assert_eq!(memory.capacity(), 0);
        // A block that claims less than it holds.
        let small = ImageAnswer { size: Size { width: 16, height: 1 }, pixel: PixelFormat::Gray8, ..bomb };
        let refused = small.image(1 << 20, &mut memory).unwrap_err().to_string();
        assert!(refused.ends_with("more bytes than the image has"), "{refused}");
        assert_eq!(memory.len(), 16);
    }

    proptest! {
        #[test]
        fn no_fields_make_it_panic(
            (width, height) in (-2i64..9000, -2i64..9000),
            (pixel, encoding) in ("gray8|bgr8|gray16|x", "raw|lz4|png|x"),
            data in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let payload = Payload::new(IMAGE)
                .with("width", Value::Integer(width.into()))
                .with("height", Value::Integer(height.into()))
                .with("pixel", Value::Text(&pixel))
                .with("encoding", Value::Text(&encoding))
                .with("data", Value::Bytes(Cow::Borrowed(&data)));
            if let Ok(answer) = ImageAnswer::read(&payload) {
                let mut memory = Vec::new();
                let _ = answer.image(100_000, &mut memory).map(|image| image.size());
                prop_assert!(memory.len() <= 100_000);
            }
        }
    }
}
