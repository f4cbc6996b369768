//! The hellos: which streams this client takes, and what it says of itself.

use shared::protocol::fragment::Reassembler;
use shared::protocol::message::{self, Control, Delivery, FRAME_OVERHEAD, Hello, IMAGE_TASK, Role, Stream};
use shared::protocol::{MAX_WINDOW, VERSION};

use super::end::End;
use super::frame::Announced;
use super::pictures::Pictures;
use super::{Action, Frames, Session, live};

/// Maximum memory for the frames of one window, in bytes: ten frames of the largest size. A hello that announces a
/// larger window gets a smaller one.
///
/// Incomplete frames take up to this much. Pieces that arrive ahead of earlier ones take up to this much again.
/// Complete frames and the buffers kept for later frames take up to twice this much.
const FRAME_BUDGET: usize = 2 << 30;

impl Session {
    /// Handles the server's hello: the session begins, or ends with the reason why not.
    pub(super) fn greeted(&mut self, hello: Hello) {
        if self.frames.is_some() {
            return self.ignore(&"it is a second hello");
        }
        if let Err(reason) = self.asking.greeted(&hello) {
            return self.leave(End::Rejected { reason });
        }
        match usable(hello) {
            Ok((stream, announced)) => {
                let limit = announced.bytes() + FRAME_OVERHEAD;
                let window = (stream.window as usize).min(MAX_WINDOW as usize).min(FRAME_BUDGET / limit);
                self.frames = Some(Frames { pieces: Reassembler::new(limit, window), announced });
                if stream.delivery == Delivery::Live {
                    self.live = Some(live::receiver(&stream, window));
                }
                self.pictures = (stream.task == IMAGE_TASK).then(|| Pictures::new(window));
                self.hello_until = None;
                // `Greeted` comes first, because the shell may reject the stream. The client's hello is sent only now:
                // the server sends frames after it, and on their own lane they could overtake the server's hello.
                self.outbox.push_back(Action::Greeted { stream, window });
                self.send_control(&Control::Hello(introduction(self.asking.is_pull())));
            }
            Err(reason) => self.leave(End::Rejected { reason }),
        }
    }
}

fn introduction(pull: bool) -> Hello {
    Hello {
        protocol: VERSION,
        name: "plumb-client".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        session: 0,
        role: Role::Sink,
        stream: None,
        features: Vec::new(),
        pull,
    }
}

/// Returns the stream that a server's hello announces, or why this client cannot take it.
fn usable(hello: Hello) -> Result<(Stream, Announced), String> {
    if hello.protocol != VERSION {
        return Err(format!("it speaks protocol {}, this client {VERSION}", hello.protocol));
    }
    if hello.role != Role::Source {
        return Err("it is not a source of frames".into());
    }
    let stream = hello.stream.ok_or("its hello announces no stream")?;
    if stream.task == IMAGE_TASK && stream.delivery == Delivery::Live {
        return Err(format!("the task {IMAGE_TASK} needs reliable delivery, and its hello says live"));
    }
    if let Some(meta) = &stream.meta {
        message::check_meta(meta).map_err(|wrong| format!("its hello has {wrong}"))?;
    }
    if stream.window == 0 {
        return Err(format!("its hello announces a window of 0 frames: it must be from 1 to {MAX_WINDOW}"));
    }
    let size = stream.size().map_err(|error| error.to_string())?;
    let announced = Announced { size, pixel: stream.pixel, encoding: stream.encoding };
    Ok((stream, announced))
}

#[cfg(test)]
mod tests {
    use shared::protocol::encoding::StreamEncoding;
    use testkit::greeting::server_hello;

    use super::*;

    #[test]
    fn a_window_without_a_frame_is_refused_and_every_other_is_taken() {
        for window in [0, 1, MAX_WINDOW, u32::MAX] {
            let mut hello = server_hello("ack", StreamEncoding::Raw);
            hello.stream.iter_mut().for_each(|stream| stream.window = window);
            let said = usable(hello).err();
            let wrong = "its hello announces a window of 0 frames: it must be from 1 to 4096";
            assert_eq!(said.as_deref(), (window == 0).then_some(wrong));
        }
    }
}
