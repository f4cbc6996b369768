//! The properties that the fuzzer checks of messages. The corpus is `fuzz/corpus/messages`.

use serde::Serialize;

use super::{
    Control, DecodeError, Frame, Reply, control_bytes, decode_control, decode_frame, decode_reply, encode, frame_id,
    is_hello,
};

/// Largest frame that is decoded to pixels, in px: a message of a few bytes may announce 67 million.
const MAX_PIXELS: u64 = 1 << 16;

/// Longest description of what is wrong with a message, in bytes: texts of peers are cut.
const MAX_REASON: usize = 1 << 10;

/// Checks that bytes are a message that is the same once it is written and read again, or are refused in a short text
/// without control characters.
///
/// The first byte chooses the lane, the rest is the message.
///
/// # Panics
/// If one of these properties does not hold.
pub fn check(bytes: &[u8]) {
    match bytes.split_first() {
        Some((lane, message)) if lane % 3 == 0 => control(message),
        Some((lane, message)) if lane % 3 == 1 => frame(message),
        Some((_, message)) => reply(message),
        None => {}
    }
}

fn control(bytes: &[u8]) {
    let Some(control) = accepted(decode_control(bytes)) else { return };
    assert_eq!(is_hello(bytes), matches!(control, Control::Hello(_)));
    let written = control_bytes(&control).expect("a message that was read");
    let again = decode_control(&written).expect("a message that was written");
    assert_eq!(control_bytes(&again).expect("a message that was read"), written);
}

fn frame(bytes: &[u8]) {
    let Some(frame) = accepted(decode_frame(bytes)) else { return };
    assert_eq!(frame_id(bytes), Some(frame.id));
    let written = written(&frame);
    assert_eq!(self::written(&decode_frame(&written).expect("a message that was written")), written);
    let is_small = frame.size().is_ok_and(|size| u64::from(size.width) * u64::from(size.height) <= MAX_PIXELS);
    if is_small {
        pixels(&frame);
    }
}

fn pixels(frame: &Frame<'_>) {
    let mut memory = Vec::new();
    if let Some(image) = accepted(frame.image(&mut memory)) {
        assert_eq!((Ok(image.size()), image.format()), (frame.size().map_err(drop), frame.pixel));
    }
}

fn reply(bytes: &[u8]) {
    let Some(first) = accepted(decode_reply(bytes)) else { return };
    // A field of another kind than any answer has is written as nil, which is no field.
    let known = written_again(&written_reply(&first));
    assert_eq!(written_again(&known), known);
}

fn written_again(reply: &[u8]) -> Vec<u8> {
    written_reply(&decode_reply(reply).expect("a message that was written"))
}

fn written_reply(reply: &Reply<'_>) -> Vec<u8> {
    match reply {
        Reply::Answer(answer) => written(answer),
        Reply::Answers(answers) => written(answers),
        Reply::Resend(resend) => written(resend),
    }
}

fn written(message: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(message, &mut bytes).expect("a message that was read");
    bytes
}

/// What was read, if it was.
fn accepted<T>(read: Result<T, DecodeError>) -> Option<T> {
    if let Err(wrong) = &read {
        let said = wrong.to_string();
        assert!(said.len() <= MAX_REASON && !said.contains(char::is_control), "{said:?}");
    }
    read.ok()
}
