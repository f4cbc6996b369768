//! Links within one process: no socket, no packets, no loss.
//!
//! An [`endpoint`] is a listener and a dialer for it. A message passes from one end to the other without a copy, and
//! counts as acknowledged once the other end takes it with [`Link::next`]. All lanes share one queue per direction, so
//! messages arrive in the order they were sent, and the end of the link comes last.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::BytesMut;
use futures_util::stream;
use thiserror::Error;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{Semaphore, TryAcquireError};

use super::lane::Lane;
use super::{Lanes, Link, LinkClosed, LinkEvent, MESSAGE_SIZE};

#[cfg(test)]
mod tests;

/// Bytes a lane may hold before a send waits: the same as over WebRTC on one machine, so that a session meets the same
/// back pressure.
const SEND_BUFFER: usize = 1 << 20;

/// Accepts links from its [`Dialer`]s.
#[derive(Debug)]
pub struct Listener(UnboundedReceiver<Link>);

/// Dials a [`Listener`]; cheap to clone.
#[derive(Clone, Debug)]
pub struct Dialer(UnboundedSender<Link>);

/// The listener is gone.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("nobody listens in this process")]
pub struct NobodyListens;

/// A listener and its dialer.
pub fn endpoint() -> (Listener, Dialer) {
    let (dialed, accepted) = mpsc::unbounded_channel();
    (Listener(accepted), Dialer(dialed))
}

impl Listener {
    /// The next link; `None` once all dialers are gone. Safe to cancel.
    pub async fn accept(&mut self) -> Option<Link> {
        self.0.recv().await
    }
}

impl Dialer {
    /// Opens a link and returns our end of it, which is open at once. The listener accepts the other end.
    pub fn dial(&self) -> Result<Link, NobodyListens> {
        let (ours, theirs) = pair();
        self.0.send(theirs).map_err(|_| NobodyListens)?;
        Ok(ours)
    }
}

/// Both ends of a link.
fn pair() -> (Link, Link) {
    let ((there, at_there), (back, at_back)) = (Way::new(), Way::new());
    let first = End { out: there.clone(), back: back.clone() };
    let second = End { out: back, back: there };
    (first.link(at_back), second.link(at_there))
}

/// One direction of a link.
struct Way {
    events: UnboundedSender<LinkEvent>,
    /// The room left on each lane, in bytes.
    room: [Semaphore; Lane::ALL.len()],
}

/// One end of a link. The link closes when this is dropped.
struct End {
    out: Arc<Way>,
    back: Arc<Way>,
}

impl Way {
    fn new() -> (Arc<Self>, UnboundedReceiver<LinkEvent>) {
        let (events, arriving) = mpsc::unbounded_channel();
        (Arc::new(Self { events, room: Lane::ALL.map(|_| Semaphore::new(SEND_BUFFER)) }), arriving)
    }

    fn room(&self, lane: Lane) -> &Semaphore {
        &self.room[lane as usize]
    }

    /// Queues a message whose room is already taken.
    fn put(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed> {
        self.events.send(LinkEvent::Message(lane, message.freeze())).map_err(|_| closed())
    }

    /// Closes this direction to new messages. Messages under way still arrive, then the end.
    fn close(&self) {
        self.room.iter().for_each(Semaphore::close);
        // If the other end is gone, it needs no notice.
        let _ = self.events.send(LinkEvent::Closed);
    }
}

impl End {
    fn link(self, mut arriving: UnboundedReceiver<LinkEvent>) -> Link {
        let end = Arc::new(self);
        let lanes = end.clone();
        let events = stream::poll_fn(move |cx| {
            arriving.poll_recv(cx).map(|event| {
                if let Some(LinkEvent::Message(lane, message)) = &event {
                    end.back.room(*lane).add_permits(needed(message.len()) as usize);
                }
                event
            })
        });
        Link::new(lanes, events, MESSAGE_SIZE)
    }

    fn shut(&self) {
        self.out.close();
        self.back.close();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.shut();
    }
}

#[async_trait]
impl Lanes for End {
    async fn send(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed> {
        self.out.room(lane).acquire_many(needed(message.len())).await.map_err(|_| closed())?.forget();
        self.out.put(lane, message)
    }

    async fn try_send(&self, lane: Lane, message: BytesMut) -> Result<bool, LinkClosed> {
        match self.out.room(lane).try_acquire_many(needed(message.len())) {
            Ok(room) => room.forget(),
            Err(TryAcquireError::NoPermits) => return Ok(false),
            Err(TryAcquireError::Closed) => return Err(closed()),
        }
        self.out.put(lane, message).map(|()| true)
    }

    async fn buffered(&self, lane: Lane) -> usize {
        SEND_BUFFER - self.out.room(lane).available_permits()
    }

    async fn close(&self) {
        self.shut();
    }
}

/// Room that a message takes, in bytes. A message larger than the buffer takes all of it.
fn needed(bytes: usize) -> u32 {
    bytes.min(SEND_BUFFER) as u32
}

fn closed() -> LinkClosed {
    LinkClosed("an end in this process closed it".into())
}
