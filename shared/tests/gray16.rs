//! Frames of 16 bits, over every way that pixels take.

use bytes::Bytes;
use ndarray::Array2;
use proptest::prelude::*;
use shared::image::{Image, PixelFormat};
use shared::protocol::encoding::{Encoding, Lz4Encoder};
use shared::protocol::message::{self, Frame, ImageAnswer, decode_frame};
use shared::time::Micros;

/// Images of readings on a plane, with noise and holes, of odd sizes too.
fn any_image() -> impl Strategy<Value = Image> {
    let pixel = prop_oneof![Just(0_u16), 990_u16..1010, any::<u16>()];
    (1_usize..40, 1_usize..30).prop_flat_map(move |(rows, columns)| {
        proptest::collection::vec(pixel.clone(), rows * columns)
            .prop_map(move |pixels| Image::Gray16(Array2::from_shape_vec((rows, columns), pixels).expect("all pixels")))
    })
}

proptest! {
    #[test]
    fn any_image_of_sixteen_bits_survives_every_encoding_and_the_wire(image in any_image(), shift in 0_usize..2) {
        let (mut wire, mut encoder, size) = (Vec::new(), Lz4Encoder::default(), image.size());
        let pixels = image.view().wire_bytes(&mut wire);
        let block = encoder.encode(pixels).map(|block| (Encoding::Lz4, block));
        for (encoding, data) in [(Encoding::Raw, pixels)].into_iter().chain(block) {
            let (width, height) = (size.width, size.height);
            let pixel = PixelFormat::Gray16;
            let frame = Frame { id: 1, captured_us: Micros(2), width, height, pixel, encoding, data, meta: None };
            // The pixels lie at an even address in one of the two, and at an odd one in the other.
            let mut message = vec![0; shift];
            message::encode(&frame, &mut message).expect("encodes");
            let message = Bytes::from(message).slice(shift..);
            let (decoded, mut memory) = (decode_frame(&message).expect("decodes"), Vec::new());
            prop_assert_eq!(&decoded.image(&mut memory).expect("an image").to_image(), &image);
            let answer = ImageAnswer { size, pixel, encoding, data: data.into() };
            let mut memory = Vec::new();
            prop_assert_eq!(&answer.image(pixels.len(), &mut memory).expect("an image").to_image(), &image);
        }
    }
}
