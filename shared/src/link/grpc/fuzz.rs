//! The properties that the fuzzer checks of messages. The corpus is `fuzz/corpus/grpc_messages`.

use bytes::Bytes;
use prost::Message;

use super::codec::MessageDecoder;
use super::translate::{Read, Side, Sink, Source};
use crate::protocol::message::FRAME_OVERHEAD;

/// Maximum number of bytes by which a message is longer in the session's form: names of fields and values, and a
/// fragment's header.
const NAMES: usize = 1 << 10;

/// Checks that any bytes are refused with a reason, or are a message with the same meaning in both forms. The session's
/// form must not be much longer than the bytes.
///
/// The first byte chooses who speaks, the rest is one message after the other, each with its length in two bytes.
///
/// # Panics
/// If one of these properties does not hold.
pub fn check(bytes: &[u8]) {
    match bytes.split_first() {
        Some((side, stream)) if side % 2 == 0 => check_stream::<Sink>(stream),
        Some((_, stream)) => check_stream::<Source>(stream),
        None => {}
    }
}

fn check_stream<S: Side>(mut stream: &[u8]) {
    let mut decoder = MessageDecoder::<S>::new(1 << 20);
    while let Some((&[high, low], rest)) = stream.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes([high, low])).min(rest.len());
        let (message, rest) = rest.split_at(length);
        stream = rest;
        match decoder.read_message(Bytes::copy_from_slice(message)) {
            Ok(read) => means_the_same::<S>(read, message.len()),
            Err(wrong) => assert!(!wrong.to_string().is_empty()),
        }
    }
}

fn means_the_same<S: Side>(read: Read, came: usize) {
    let Read { lane, bytes, .. } = read;
    // Each metadata value and each number grows by a few bytes at most.
    assert!(bytes.len() <= 9 * came + NAMES, "{} bytes of {came}", bytes.len());
    // A message that the protocol refuses (for its id, for example) is refused on the way back.
    let Ok(written) = S::write(lane, bytes.clone()) else { return };
    let mut again = MessageDecoder::<S>::new(1 << 20);
    let hello = matches!(lane, crate::link::Lane::Control);
    assert!(written.encoded_len() <= came + FRAME_OVERHEAD);
    if hello {
        let back = again.read_message(written.encode_to_vec().into()).expect("a message that was written");
        assert_eq!(back.bytes, bytes);
    }
}
