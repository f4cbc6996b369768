//! A link: three lanes between two ends.
//!
//! What a session sees is a [`Link`]: a stream of [`LinkEvent`]s and a [`LinkSender`]. Each transport is a folder or file
//! whose `listen` or `dial` gives one: [`webrtc`] over data channels, [`memory`] within a process. What is a transport's
//! own (sockets, packet sizes, the connection it was opened over) stays inside.

mod lane;
pub mod memory;
mod signs;
pub mod webrtc;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use thiserror::Error;
use tokio::time::Instant;

pub use lane::Lane;
pub use signs::Signs;

/// The largest message this end sends or takes, in bytes: what every peer takes (RFC 8841, section 6.1), and the size
/// at which the data channel is fastest (under 24 KiB its batching switches off and CPU triples).
pub const MESSAGE_SIZE: usize = 65_536;

/// Bytes handed to the link before it gets its turn: a little less than it sends with one system call.
const TURN: usize = 48 << 10;

/// How long [`LinkSender::send_soon`] waits: a stop must be done within a second.
const SOON: Duration = Duration::from_millis(250);

/// What happens on an open link.
#[derive(Clone, Debug)]
pub enum LinkEvent {
    /// A message arrived.
    Message(Lane, Bytes),
    /// What stays beside the link has ended: a hint that the peer may be gone, no more. Any message after it takes it back.
    PeerMayBeGone,
    /// The peer says there that it leaves, and why: its last word, should its `bye` not come before the link closes.
    PeerLeaves(String),
    /// The link is closed, by either end; nothing follows.
    Closed,
}

/// The link closed under a send.
#[derive(Clone, Debug, Error)]
#[error("link closed: {0}")]
pub struct LinkClosed(pub String);

/// The sending half of a transport.
#[async_trait]
pub trait Lanes: Send + Sync {
    /// Sends a message, waiting while the lane's send buffer is full.
    async fn send(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed>;

    /// Sends a message if the lane's send buffer has room for it; says whether it had.
    async fn try_send(&self, lane: Lane, message: BytesMut) -> Result<bool, LinkClosed>;

    /// Bytes sent on the lane that the peer has not acknowledged.
    async fn buffered(&self, lane: Lane) -> usize;

    /// Says beside the lanes, where there is such a way, that this end leaves, and why.
    async fn leave(&self, _reason: &str) {}

    /// Closes all lanes, and says so to the peer where that can be told. Idempotent.
    async fn close(&self);
}

/// The sending half of a link; cheap to clone.
#[derive(Clone)]
pub struct LinkSender {
    lanes: Arc<dyn Lanes>,
    /// Bytes handed over, by lane.
    sent: Arc<[AtomicU64; Lane::ALL.len()]>,
}

impl LinkSender {
    fn new(lanes: Arc<dyn Lanes>) -> Self {
        Self { lanes, sent: Arc::default() }
    }

    /// Sends a message, waiting while the lane's send buffer is full.
    pub async fn send(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed> {
        let bytes = message.len();
        self.lanes.send(lane, message).await?;
        self.count(lane, bytes);
        Ok(())
    }

    /// Sends messages one after another, and gives way to the link after each 48 KiB: the peer takes these while the next
    /// are encrypted. (Measured, 8 frames in flight: 640x480 at 1.15 times the rate and in 0.35 of the time, 1920x1080 at
    /// 1.36 times the rate and in 0.46 of the time of handing over all at once.) For streams that are never idle: where the
    /// peer sleeps between frames each turn wakes it, which costs it more than it gains (64 clients at 30 frames a second:
    /// 1.3 times the processor time).
    pub async fn send_all(&self, lane: Lane, messages: impl IntoIterator<Item = BytesMut>) -> Result<(), LinkClosed> {
        let mut bytes = 0;
        for message in messages {
            bytes += message.len();
            self.send(lane, message).await?;
            if bytes >= TURN {
                bytes = 0;
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Sends a message on a lane that carries little: a buffer that stays full means that the peer stopped reading,
    /// and nobody waits for that.
    pub async fn send_soon(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed> {
        let sent = tokio::time::timeout(SOON, self.send(lane, message)).await;
        sent.unwrap_or_else(|_| Err(LinkClosed(format!("it does not read its {lane} lane"))))
    }

    /// Sends a message if the lane's send buffer has room for it; says whether it had.
    pub async fn try_send(&self, lane: Lane, message: BytesMut) -> Result<bool, LinkClosed> {
        let bytes = message.len();
        let was_sent = self.lanes.try_send(lane, message).await?;
        if was_sent {
            self.count(lane, bytes);
        }
        Ok(was_sent)
    }

    fn count(&self, lane: Lane, bytes: usize) {
        self.sent[lane as usize].fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes sent on these lanes that the peer has acknowledged. On a lane that gives up what is lost, those count too.
    pub async fn acknowledged(&self, lanes: &[Lane]) -> u64 {
        let mut acknowledged = 0;
        for &lane in lanes {
            let sent = self.sent[lane as usize].load(Ordering::Relaxed);
            acknowledged += sent.saturating_sub(self.buffered(lane).await as u64);
        }
        acknowledged
    }

    /// Bytes sent on the lane that the peer has not acknowledged.
    pub async fn buffered(&self, lane: Lane) -> usize {
        self.lanes.buffered(lane).await
    }

    /// Says beside the lanes that this end leaves, and why: what is said on them may stand behind much else, or get lost.
    pub async fn leave(&self, reason: &str) {
        self.lanes.leave(reason).await;
    }

    /// Closes the link once the peer has everything sent on the control lane, or after `limit`. Idempotent.
    pub async fn close_within(&self, limit: Duration) {
        self.close_patiently(limit, limit).await;
    }

    /// The same, but waits on, up to `limit`, while the peer acknowledges something at least every `patience`: on a slow
    /// link what is said on the control lane stands behind a megabyte of frames.
    pub async fn close_patiently(&self, patience: Duration, limit: Duration) {
        let flushed = async {
            let (mut least, mut last) = (usize::MAX, Instant::now());
            while self.buffered(Lane::Control).await > 0 {
                let left = self.all_buffered().await;
                if left < least {
                    (least, last) = (left, Instant::now());
                } else if last.elapsed() >= patience {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = tokio::time::timeout(limit, flushed).await;
        self.lanes.close().await;
    }

    async fn all_buffered(&self) -> usize {
        let mut bytes = 0;
        for lane in Lane::ALL {
            bytes += self.buffered(lane).await;
        }
        bytes
    }
}

/// An open link.
pub struct Link {
    sender: LinkSender,
    events: Pin<Box<dyn Stream<Item = LinkEvent> + Send>>,
    max_message_size: usize,
    is_closed: bool,
}

impl Link {
    /// A link over `lanes` whose peer takes messages of up to `max_message_size` bytes.
    pub fn new(
        lanes: Arc<dyn Lanes>,
        events: impl Stream<Item = LinkEvent> + Send + 'static,
        max_message_size: usize,
    ) -> Self {
        Self { sender: LinkSender::new(lanes), events: Box::pin(events), max_message_size, is_closed: false }
    }

    /// The sending half.
    pub fn sender(&self) -> LinkSender {
        self.sender.clone()
    }

    /// The next event; [`LinkEvent::Closed`] for ever once closed. Safe to cancel.
    pub async fn next(&mut self) -> LinkEvent {
        if self.is_closed {
            return LinkEvent::Closed;
        }
        let event = self.events.next().await.unwrap_or(LinkEvent::Closed);
        self.is_closed = matches!(event, LinkEvent::Closed);
        event
    }

    /// The largest message to send, in bytes: what the peer takes, at most [`MESSAGE_SIZE`].
    pub fn max_message_size(&self) -> usize {
        self.max_message_size.min(MESSAGE_SIZE)
    }
}
