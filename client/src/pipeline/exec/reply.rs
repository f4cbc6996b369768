//! Assembles the program's answer from the bytes that arrive, in bounded memory.

use shared::memory::reserved;
use shared::protocol::encoding::Encoding;
use shared::protocol::message::Payload;

use super::answer::{self, ImageHead, Said};
use super::fault::{Fault, LINE_LIMIT};
use crate::pipeline::image_answer::image_payload;

/// The answer to one frame, as far as it has arrived.
#[derive(Debug)]
pub(super) struct Reply {
    frame: u64,
    task: &'static str,
    most_bytes: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Within the line.
    Line(Vec<u8>),
    /// Within the bytes of an image.
    Image(ImageHead, Vec<u8>),
    /// The answer is complete.
    Done,
}

impl Reply {
    /// An empty reply to a frame whose pixels take `frame_bytes`.
    pub(super) fn to(frame: u64, task: &'static str, frame_bytes: usize) -> Self {
        Self { frame, task, most_bytes: frame_bytes, state: State::Line(Vec::new()) }
    }

    /// Reads bytes that arrived. Returns the answer once it is complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Option<Payload<'static>>, Fault> {
        match &mut self.state {
            State::Line(line) => match bytes.iter().position(|byte| *byte == b'\n') {
                None => keep_line(line, bytes).map(|()| None),
                Some(end) => {
                    keep_line(line, &bytes[..end])?;
                    let said = answer::read(line, self.frame, self.task, self.most_bytes)?;
                    self.said(said, &bytes[end + 1..])
                }
            },
            State::Image(head, kept) => {
                let (ours, rest) = bytes.split_at(bytes.len().min(head.bytes - kept.len()));
                kept.extend_from_slice(ours);
                if kept.len() < head.bytes {
                    return Ok(None);
                }
                let payload = image_payload(head.size, head.pixel, std::mem::take(kept), Encoding::Raw);
                self.done(payload, rest)
            }
            State::Done if bytes.is_empty() => Ok(None),
            State::Done => Err(Fault::unasked(bytes)),
        }
    }

    fn said(&mut self, said: Said, rest: &[u8]) -> Result<Option<Payload<'static>>, Fault> {
        match said {
            Said::Answer(payload) => self.done(payload, rest),
            Said::Image(head) => {
                let room = reserved(head.bytes, "its image")?;
                self.state = State::Image(head, room);
                self.feed(rest)
            }
        }
    }

    fn done(&mut self, payload: Payload<'static>, rest: &[u8]) -> Result<Option<Payload<'static>>, Fault> {
        self.state = State::Done;
        if rest.is_empty() { Ok(Some(payload)) } else { Err(Fault::unasked(rest)) }
    }
}

fn keep_line(line: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Fault> {
    if line.len() + bytes.len() > LINE_LIMIT {
        return Err(Fault::TooLong);
    }
    line.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::protocol::message::CIRCLE_TASK;

    use super::*;

    const ANSWER: &[u8] = b"{\"frame\":7,\"kind\":\"circle\",\"x\":1.5,\"y\":2,\"radius\":3}\n";

    fn circle() -> Reply {
        Reply::to(7, CIRCLE_TASK, 100)
    }

    #[test]
    fn an_answer_may_arrive_in_any_pieces() {
        for at in 0..ANSWER.len() {
            let mut reply = circle();
            let (first, second) = ANSWER.split_at(at);
            assert_eq!(reply.feed(first).expect("well begun"), None);
            let payload = reply.feed(second).expect("an answer").expect("complete");
            assert_eq!((payload.real("x"), payload.integer("y")), (Ok(1.5), Ok(2)));
        }
    }

    #[test]
    fn output_without_end_is_cut_off() {
        let mut reply = circle();
        let many = vec![b'x'; LINE_LIMIT];
        assert!(matches!(reply.feed(&many), Ok(None)));
        assert!(matches!(reply.feed(b"x"), Err(Fault::TooLong)));
        assert!(matches!(circle().feed(&[ANSWER, b"y"].concat()), Err(Fault::Unasked(_))));
        let mut reply = circle();
        assert!(matches!(reply.feed(ANSWER), Ok(Some(_))));
        assert!(matches!(reply.feed(ANSWER), Err(Fault::Unasked(_))));
    }

    #[test]
    fn an_images_bytes_follow_its_line() {
        let head = b"{\"frame\":7,\"kind\":\"image\",\"width\":2,\"height\":2,\"pixel\":\"gray8\",\"bytes\":4}\n";
        let mut reply = Reply::to(7, "image", 100);
        assert!(matches!(reply.feed(head), Ok(None)));
        assert!(matches!(reply.feed(&[10, 10]), Ok(None)));
        assert!(matches!(reply.feed(&[10, 20]), Ok(Some(_))));
        let mut reply = Reply::to(7, "image", 100);
        assert!(matches!(reply.feed(&[&head[..], &[1, 2, 3, 4, 5]].concat()), Err(Fault::Unasked(_))));
        let large = b"{\"frame\":7,\"kind\":\"image\",\"width\":11,\"height\":10,\"pixel\":\"gray8\",\"bytes\":110}\n";
        let refused = Reply::to(7, "image", 100).feed(large).expect_err("more bytes than the frame");
        assert!(refused.to_string().contains("bytes 110"), "{refused}");
    }

    proptest! {
        #[test]
        fn any_output_of_a_program_is_an_answer_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = circle().feed(&bytes);
            let _ = Reply::to(7, "image", 100).feed(&bytes);
        }
    }
}
