//! The properties that the fuzzer checks of the framing. The corpus is `fuzz/corpus/tcp_framing`.

use bytes::{BufMut, Bytes, BytesMut};

use super::assembler::{Assembler, bound};
use super::framing::{FramingError, HEADER, parse};
use crate::link::Lane;

/// The content of a stream of bytes: its messages, and the error after them.
type Read = (Vec<(Lane, Bytes)>, Option<FramingError>);

/// Checks that a stream of bytes gives the same messages and the same error however it is cut into pieces, and that the
/// memory held is bounded by what has arrived.
///
/// The first byte chooses the largest message (64 bytes to 2 MiB), the second the size of the pieces, the rest is the
/// stream.
///
/// # Panics
/// If one of these properties does not hold.
pub fn check(bytes: &[u8]) {
    let Some((&[limit, piece], stream)) = bytes.split_first_chunk::<2>() else { return };
    let most = 64 << (limit % 16);
    // 1 to 255 bytes, and some twice as large as the room for small messages.
    let piece = if piece >= 0xf0 { usize::from(piece - 0xef) << 10 } else { usize::from(piece) + 1 };
    assert_eq!(in_pieces(stream, piece, most), at_once(stream, most));
}

/// Reads a complete stream as the document says.
fn at_once(mut stream: &[u8], most: usize) -> Read {
    let mut messages = Vec::new();
    while let Some((header, rest)) = stream.split_first_chunk::<HEADER>() {
        match parse(*header, most) {
            Ok((lane, bytes)) if bytes <= rest.len() => {
                messages.push((lane, Bytes::copy_from_slice(&rest[..bytes])));
                stream = &rest[bytes..];
            }
            Ok(_) => break,
            Err(wrong) => return (messages, Some(wrong)),
        }
    }
    (messages, None)
}

/// Reads a stream with an [`Assembler`] that gets one piece at a time.
fn in_pieces(stream: &[u8], piece: usize, most: usize) -> Read {
    let (mut assembler, mut messages) = (Assembler::new(BytesMut::new(), most), Vec::new());
    let mut sent = 0;
    while sent < stream.len() {
        let (buffer, room) = assembler.room();
        let free = room.min(buffer.capacity() - buffer.len());
        assert!(free > 0, "no room after {sent} bytes");
        let next = &stream[sent..stream.len().min(sent + piece.min(free))];
        buffer.put_slice(next);
        sent += next.len();
        loop {
            match assembler.complete() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(wrong) => return (messages, Some(wrong)),
            }
        }
        assert!(assembler.held() <= bound(sent), "{} bytes held for {sent}", assembler.held());
    }
    (messages, None)
}
