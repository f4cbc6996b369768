//! The properties that the fuzzer checks of a program's answers. The corpus is `fuzz/corpus/exec_answers`.

use shared::protocol::message::{CIRCLE_TASK, IMAGE_TASK, Payload};

use super::reply::Reply;

/// Bytes of the frame that is answered.
const FRAME_BYTES: usize = 64;

/// Longest description of a fault, in bytes: output of programs is cut.
const MAX_REASON: usize = 1 << 10;

/// Checks that output gives the same answer, or the same fault, in whatever pieces it arrives, and that a fault is
/// described in a short text without control characters.
///
/// The first byte chooses the task, the second the size of the pieces, the rest is the output.
///
/// # Panics
/// If one of these properties does not hold.
pub fn check(bytes: &[u8]) {
    let Some((&[task, piece], output)) = bytes.split_first_chunk::<2>() else { return };
    let task = [CIRCLE_TASK, IMAGE_TASK, "count", "ack"][usize::from(task) % 4];
    let (whole, pieces) = (heard(task, output, output.len()), heard(task, output, usize::from(piece) + 1));
    // What follows an answer in the same piece is a fault. In a later piece the answer was complete before.
    if whole.is_ok() {
        assert_eq!(pieces, whole);
    }
}

/// The answer in this output, read in pieces; `None` if it is not complete.
fn heard(task: &'static str, output: &[u8], piece: usize) -> Result<Option<Payload<'static>>, String> {
    let mut reply = Reply::to(7, task, FRAME_BYTES);
    for piece in output.chunks(piece.max(1)) {
        match reply.feed(piece) {
            Ok(None) => {}
            Ok(Some(answer)) => return Ok(Some(answer)),
            Err(fault) => {
                let said = fault.to_string();
                assert!(said.len() <= MAX_REASON && !said.contains(char::is_control), "{said:?}");
                return Err(said);
            }
        }
    }
    Ok(None)
}
