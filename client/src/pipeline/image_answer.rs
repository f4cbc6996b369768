//! Answers of the task `image`: an image that the pipeline made from the frame.

use std::borrow::Cow;

use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::protocol::encoding::{Encoding, Lz4Encoder};
use shared::protocol::message::{IMAGE, ImageAnswer, Payload};

/// The payload of an image. `data` is its pixels in this encoding. A pipeline passes [`Encoding::Raw`]; the worker
/// then encodes the pixels as LZ4 if that is shorter and the stream uses LZ4.
///
/// The server takes at most as many bytes of pixels as the frame has.
pub fn image_payload(size: Size, pixel: PixelFormat, data: Vec<u8>, encoding: Encoding) -> Payload<'static> {
    ImageAnswer { size, pixel, encoding, data: Cow::Owned(data) }.write()
}

/// Encodes an image as LZ4 if that is shorter. Other payloads stay unchanged.
pub(crate) fn shortened(payload: Payload<'static>, encoder: &mut Option<Lz4Encoder>) -> Payload<'static> {
    let raw = (payload.kind() == IMAGE).then(|| ImageAnswer::read(&payload).ok()).flatten();
    let shorter = raw.filter(|image| image.encoding == Encoding::Raw).and_then(|image| {
        let block = encoder.get_or_insert_default().encode(&image.data)?;
        Some(image_payload(image.size, image.pixel, block.to_vec(), Encoding::Lz4))
    });
    shorter.unwrap_or(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 64, height: 32 };

    fn image(data: Vec<u8>) -> Payload<'static> {
        image_payload(SIZE, PixelFormat::Gray8, data, Encoding::Raw)
    }

    #[test]
    fn an_image_that_lz4_makes_shorter_is_written_as_lz4_and_read_back() {
        let mut encoder = None;
        let short = shortened(image(vec![7; SIZE.pixels()]), &mut encoder);
        let read = ImageAnswer::read(&short).expect("an image");
        assert!(read.encoding == Encoding::Lz4 && read.data.len() < SIZE.pixels() / 10);
        let mut memory = Vec::new();
        let pixels = read.image(SIZE.pixels(), &mut memory).expect("decodes").to_image();
        assert_eq!(pixels.bytes(), vec![7; SIZE.pixels()]);
        assert_eq!(shortened(short.clone(), &mut encoder), short, "it is not encoded twice");
    }

    #[test]
    fn noise_and_other_answers_stay_unchanged() {
        let noise: Vec<u8> =
            (0..SIZE.pixels() as u32).map(|i| (i.wrapping_mul(i).wrapping_mul(2_654_435_761) >> 17) as u8).collect();
        let mut encoder = None;
        for payload in [image(noise), Payload::dropped(), Payload::new("none")] {
            assert_eq!(shortened(payload.clone(), &mut encoder), payload);
        }
    }
}
