//! Hands frames to the link, one at a time, and single messages.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::BytesMut;
use shared::link::{Lane, LinkClosed, LinkSender};
use tokio::time::sleep;

use super::room::Room;

/// How often a live frame checks whether the link has room: a sixteenth of the interval at 60 frames per second.
const ROOM_INTERVAL: Duration = Duration::from_millis(1);

/// The hand-over of a frame to the link, in progress.
type Sending = Pin<Box<dyn Future<Output = Result<(), LinkClosed>> + Send>>;

/// The link's sending half, and the frame being handed to it.
pub(super) struct Outgoing {
    pub(super) sender: LinkSender,
    sending: Option<Sending>,
    is_unpaced: bool,
    /// Only in live delivery.
    room: Option<Room>,
    /// Size of the last frame, in bytes.
    last_bytes: usize,
}

impl Outgoing {
    pub(super) fn new(sender: LinkSender, is_unpaced: bool, room: Option<Room>) -> Self {
        Self { sender, sending: None, is_unpaced, room, last_bytes: 0 }
    }

    /// Starts to hand a frame to the link; [`Self::handed_over`] waits for the end.
    pub(super) fn start(&mut self, fragments: Vec<BytesMut>, bytes: usize, round_trip_us: Option<u64>) {
        let last_bytes = std::mem::replace(&mut self.last_bytes, bytes);
        let room = self.room.as_ref().map(|room| last_bytes * room.frames(round_trip_us));
        self.sending = Some(Box::pin(send_all(self.sender.clone(), fragments, room, self.is_unpaced)));
    }

    /// Stops handing over the current frame.
    pub(super) fn give_up(&mut self) {
        self.sending = Some(Box::pin(yield_once()));
    }

    /// Waits until the link has the whole frame, or the frame was given up; never returns while there is no frame. Safe
    /// to cancel.
    pub(super) async fn handed_over(&mut self) -> Result<(), LinkClosed> {
        match &mut self.sending {
            Some(sending) => {
                let sent = sending.as_mut().await;
                self.sending = None;
                sent
            }
            None => std::future::pending().await,
        }
    }

    /// Notes an answer that came `latency_us` after its frame's capture.
    pub(super) fn answered(&mut self, latency_us: u64) {
        if let Some(room) = &mut self.room {
            room.answered(latency_us);
        }
    }

    /// Retransmits a piece if the link has room for it; returns whether it had.
    pub(super) async fn resend(&mut self, piece: &[u8]) -> Result<bool, LinkClosed> {
        self.sender.try_send(Lane::Frames, BytesMut::from(piece)).await
    }
}

/// Hands a frame to the link. In live delivery it first waits until at most `room` bytes of earlier frames are in
/// flight, so that the frame does not grow old in the link's queue.
async fn send_all(
    sender: LinkSender,
    fragments: Vec<BytesMut>,
    room: Option<usize>,
    is_unpaced: bool,
) -> Result<(), LinkClosed> {
    if let Some(room) = room {
        while sender.buffered(Lane::Frames).await > room {
            sleep(ROOM_INTERVAL).await;
        }
    }
    if is_unpaced {
        return sender.send_all(Lane::Frames, fragments).await;
    }
    for fragment in fragments {
        sender.send(Lane::Frames, fragment).await?;
    }
    Ok(())
}

/// Yields once in place of a frame that was given up. The next frame is due at once; yielding lets this session and the
/// others on its thread handle pending events first.
async fn yield_once() -> Result<(), LinkClosed> {
    tokio::task::yield_now().await;
    Ok(())
}
