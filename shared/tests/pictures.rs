//! Frames as PNG and JPEG: they come back, and a picture that is not what its frame says is refused.

use proptest::prelude::*;
use shared::geometry::Size;
use shared::image::{Image, PixelFormat};
use shared::protocol::encoding::{self, Encoding, JpegEncoder, JpegQuality, PngEncoder};

/// Images of runs, ramps, few levels and noise, of odd sizes too.
fn any_image() -> impl Strategy<Value = Image> {
    (1u32..90, 1u32..60, 0usize..3, 0u32..4, any::<u64>()).prop_map(|(width, height, format, kind, seed)| {
        let (size, format) = (Size { width, height }, PixelFormat::ALL[format]);
        let mut state = seed | 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        let byte = |index: usize| match kind {
            0 => 40,
            1 => next(),
            2 => 40 + next() % 3,
            _ => (index % width as usize) as u8,
        };
        let bytes: Vec<u8> = (0..format.bytes(size)).map(byte).collect();
        Image::from_bytes(&bytes, size, format).expect("the bytes of an image")
    })
}

/// The image in both kinds of picture, where they are shorter than its pixels.
fn pictures(image: &Image) -> Vec<(Encoding, Vec<u8>)> {
    let quality = JpegQuality::new(80).expect("a quality");
    let png = PngEncoder::default().encode(image).map(|png| (Encoding::Png, png.to_vec()));
    let jpeg = JpegEncoder::default().encode(image, quality).map(|jpeg| (Encoding::Jpeg, jpeg.to_vec()));
    png.into_iter().chain(jpeg).collect()
}

fn decoded(encoding: Encoding, data: &[u8], size: Size, format: PixelFormat) -> Result<Image, String> {
    let mut memory = Vec::new();
    let image = encoding::decode(encoding, data, size, format, &mut memory).map(|view| view.to_image());
    // At most a byte more than the image: see `encoding::decode`.
    assert!(memory.len() <= format.bytes(size) + 1);
    image.map_err(|error| error.to_string())
}

proptest! {
    #[test]
    fn a_png_gives_every_bit_back_and_is_shorter_than_the_pixels(image in any_image()) {
        let mut encoder = PngEncoder::default();
        if let Some(png) = encoder.encode(&image) {
            prop_assert!(png.len() < image.bytes().len());
            prop_assert_eq!(decoded(Encoding::Png, png, image.size(), image.format()), Ok(image));
        }
    }

    #[test]
    fn a_picture_of_another_image_is_refused(image in any_image(), (wider, higher) in (0u32..3, 0u32..3), format in 0usize..3) {
        let (Size { width, height }, format) = (image.size(), PixelFormat::ALL[format]);
        let size = Size { width: width + wider, height: height + higher };
        for (encoding, picture) in pictures(&image) {
            let is_taken = decoded(encoding, &picture, size, format).is_ok();
            prop_assert_eq!(is_taken, (size, format) == (image.size(), image.format()));
        }
    }

    #[test]
    fn a_picture_that_is_cut_or_has_bytes_after_its_end_is_refused(image in any_image(), cut in any::<prop::sample::Index>(), more in 1usize..9) {
        for (encoding, picture) in pictures(&image) {
            let refused = |data: &[u8]| decoded(encoding, data, image.size(), image.format()).is_err();
            prop_assert!(refused(&picture[..cut.index(picture.len())]));
            prop_assert!(refused(&[&picture[..], &vec![0; more]].concat()));
        }
    }

    #[test]
    fn a_damaged_picture_is_refused_or_an_image_and_takes_no_other_memory(
        image in any_image(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for (encoding, mut picture) in pictures(&image) {
            let whole = picture.clone();
            for (place, byte) in &flips {
                *place.get_mut(&mut picture) = *byte;
            }
            let result = decoded(encoding, &picture, image.size(), image.format());
            // Every byte of a PNG is under a checksum.
            prop_assert!(encoding != Encoding::Png || result.is_err() || picture == whole);
        }
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(data in prop::collection::vec(any::<u8>(), 0..300), jpeg in any::<bool>()) {
        let (encoding, start) =
            if jpeg { (Encoding::Jpeg, &b"\xff\xd8"[..]) } else { (Encoding::Png, &b"\x89PNG\r\n\x1a\n"[..]) };
        for data in [&data[..], &[start, &data].concat()] {
            let size = Size { width: 31, height: 9 };
            prop_assert!(decoded(encoding, data, size, PixelFormat::Bgr8).is_err());
        }
    }
}

#[test]
fn a_picture_that_would_fill_memory_is_refused_by_its_header() {
    // 2048x2048 in colour are 13 MB, and as a picture some ten kilobytes.
    let large = Image::zeros(Size { width: 2048, height: 2048 }, PixelFormat::Bgr8);
    let small = Size { width: 64, height: 48 };
    for (encoding, picture) in pictures(&large) {
        let refused = decoded(encoding, &picture, small, PixelFormat::Bgr8).unwrap_err();
        assert!(refused.contains("its header says 2048x2048, 8 bits"), "{refused}");
    }
}

#[test]
fn sixteen_bits_where_eight_are_promised_are_refused() {
    let (size, format) = (Size { width: 64, height: 48 }, PixelFormat::Gray8);
    let deep = pictures(&Image::zeros(size, PixelFormat::Gray16));
    let [(encoding, picture)] = &deep[..] else { panic!("JPEG has no 16 bits") };
    let refused = decoded(*encoding, picture, size, format).unwrap_err();
    let expected = "bad PNG of a 64x48 gray8 image: its header says 64x48, 16 bits, colour type 0, interlace 0";
    assert_eq!(refused, expected);
}
