//! Frames in each encoding, and the fragments of messages.

use bytes::BytesMut;
use shared::geometry::Size;
use shared::image::{Image, PixelFormat};
use shared::protocol::encoding::Encoding;
use shared::protocol::fragment;
use shared::protocol::message::{self, Frame};
use shared::time::Micros;

use super::{bytes_of, from_hex, hex};

#[test]
fn a_frame_in_one_fragment() {
    let frame = Frame {
        id: 2,
        captured_us: Micros(300),
        width: 2,
        height: 1,
        pixel: PixelFormat::Gray8,
        encoding: Encoding::Raw,
        data: &[40, 180],
        meta: None,
    };
    let pieces = fragment::split(2, &frame, 65_536).unwrap();
    let expected = concat!(
        "94020001c450",             // [2, 0, 1, bin of 80 bytes:
        "88a474797065a56672616d65", // {type: "frame",
        "a2696402",                 //  id: 2,
        "ab63617074757265645f7573cd012c",
        "a5776964746802",
        "a668656967687401",
        "a5706978656ca56772617938",
        "a8656e636f64696e67a3726177",
        "a464617461c40228b4", //  data: bin of 2 bytes}]
    );
    assert_eq!(pieces.iter().map(|piece| hex(piece)).collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_frame_as_an_lz4_block() {
    // `lz4.block.decompress(block, uncompressed_size=40)` from PyPI's lz4 gives the same 40 bytes.
    let block = [
        0x1f, 40, 1, 0, 15, // one literal, then the byte before it 4 + 15 + 15 times
        0x50, 40, 40, 40, 40, 180, // five literals, the last
    ];
    let frame = Frame {
        id: 2,
        captured_us: Micros(300),
        width: 20,
        height: 2,
        pixel: PixelFormat::Gray8,
        encoding: Encoding::Lz4,
        data: &block,
        meta: None,
    };
    let mut pixels = [40; 40];
    pixels[39] = 180;
    let mut memory = Vec::new();
    let image = frame.image(&mut memory).unwrap().to_image();
    assert_eq!((image.size(), image.bytes()), (Size { width: 20, height: 2 }, &pixels[..]));
    let bytes = bytes_of(&frame);
    let expected = concat!(
        "88a474797065a56672616d65a2696402ab63617074757265645f7573cd012ca5776964746814a668656967687402",
        "a5706978656ca56772617938",
        "a8656e636f64696e67a36c7a34",           //  encoding: "lz4",
        "a464617461c40b1f2801000f5028282828b4", //  data: bin of 11 bytes}
    );
    assert_eq!(hex(&bytes), expected);
    assert_eq!(message::decode_frame(&bytes).unwrap(), frame);
}

#[test]
fn a_frame_as_a_png() {
    // Written by Python's `zlib` and `struct` from the specification: the samples have the high byte first.
    let png = concat!(
        "89504e470d0a1a0a0000000d4948445200000003000000021000000000e88fe585000000164944415478",
        "9c63607ef1ff3f0303839009032323030021750332bd190f0c0000000049454e44ae426082",
    );
    let data = from_hex(png);
    let frame = Frame {
        id: 2,
        captured_us: Micros(300),
        width: 3,
        height: 2,
        pixel: PixelFormat::Gray16,
        encoding: Encoding::Png,
        data: &data,
        meta: None,
    };
    let bytes = bytes_of(&frame);
    let head = concat!(
        "88a474797065a56672616d65a2696402ab63617074757265645f7573cd012ca5776964746803a668656967687402",
        "a5706978656ca6677261793136", //  pixel: "gray16",
        "a8656e636f64696e67a3706e67", //  encoding: "png",
        "a464617461c44f",             //  data: bin of 79 bytes}
    );
    assert_eq!(hex(&bytes), format!("{head}{png}"));
    let (decoded, mut memory) = (message::decode_frame(&bytes).unwrap(), Vec::new());
    let expected = Image::Gray16(ndarray::array![[1000, 65_535, 0], [0x1234, 1, 256]]);
    assert_eq!(decoded.image(&mut memory).unwrap().to_image(), expected);
    let bytes = bytes_of(&Frame { encoding: Encoding::Jpeg, ..frame });
    assert!(hex(&bytes).contains("a8656e636f64696e67a46a706567"), "encoding: \"jpeg\"");
}

#[test]
fn a_frame_of_sixteen_bits_has_the_low_byte_first() {
    let pixels = Image::Gray16(ndarray::array![[1000, 65_535, 0]]);
    let mut memory = Vec::new();
    let frame = Frame {
        id: 2,
        captured_us: Micros(300),
        width: 3,
        height: 1,
        pixel: PixelFormat::Gray16,
        encoding: Encoding::Raw,
        data: pixels.view().wire_bytes(&mut memory),
        meta: None,
    };
    let bytes = bytes_of(&frame);
    let expected = concat!(
        "88a474797065a56672616d65a2696402ab63617074757265645f7573cd012ca5776964746803a668656967687401",
        "a5706978656ca6677261793136", //  pixel: "gray16",
        "a8656e636f64696e67a3726177",
        "a464617461c406e803ffff0000", //  data: bin of 6 bytes}
    );
    assert_eq!(hex(&bytes), expected);
    let (decoded, mut memory) = (message::decode_frame(&bytes).unwrap(), Vec::new());
    assert_eq!(decoded.image(&mut memory).unwrap().to_image(), pixels);
}

#[test]
fn a_message_of_two_fragments() {
    let pieces = fragment::split(7, &serde_bytes::Bytes::new(&[0xab; 600]), 537).unwrap();
    let [first, second]: [BytesMut; 2] = pieces.try_into().unwrap();
    // The message is bin 16 (3 bytes) and 600 bytes: 512 in the first piece, 91 in the second.
    assert!(hex(&first).starts_with("94070002c50200c50258abab"), "{}", hex(&first[..16]));
    assert!(hex(&second).starts_with("94070102c45babab"), "{}", hex(&second[..16]));
    assert_eq!((first.len(), second.len()), (7 + 512, 6 + 91));
}
