//! A link: three lanes between two ends.
//!
//! A session sees a [`Link`]: a stream of [`LinkEvent`]s and a [`LinkSender`]. Each transport is a folder or file whose
//! `listen` or `dial` returns one: [`webrtc`] over data channels, [`tcp`] over one connection, [`grpc`] over a call,
//! [`memory`] within a process. Sockets, packet sizes and the signaling connection stay inside the transport.

#[cfg(feature = "grpc")]
pub mod grpc;
#[cfg(not(feature = "grpc"))]
#[path = "grpc_absent.rs"]
pub mod grpc;
mod kind;
mod lane;
pub mod memory;
mod signs;
pub mod tcp;
mod unacknowledged;
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

pub use kind::Kind;
pub use lane::Lane;
pub use signs::Signs;

/// Largest message that is sent or taken over data channels, in bytes. Every peer takes this much (RFC 8841, section
/// 6.1), and the data channel is fastest at this size (under 24 KiB its batching switches off and CPU time triples).
pub const MESSAGE_SIZE: usize = 65_536;

/// Bytes handed to the link before it gets its turn: a little less than it sends with one system call.
const TURN: usize = 48 << 10;

/// How long [`LinkSender::send_soon`] waits: a stop must complete within a second.
const SOON: Duration = Duration::from_millis(250);

/// An event on an open link.
#[derive(Clone, Debug)]
pub enum LinkEvent {
    /// A message arrived.
    Message(Lane, Bytes),
    /// A part of a large message arrived. Reported at most four times per second, while no message is complete: a sign
    /// of life on a slow link.
    Arriving,
    /// The signaling connection has ended. This is only a hint that the peer may be gone; any later message
    /// revokes it.
    PeerMayBeGone,
    /// The peer announced on the signaling connection that it leaves, and why, in case the link closes before its `bye`
    /// arrives.
    PeerLeaves(String),
    /// The link was closed by either end. Nothing follows.
    Closed,
    /// The link closed because the connection broke or the peer sent bytes that are not a message. Says which, with the
    /// peer as "it". Nothing follows but `Closed`.
    Broken(String),
}

/// The link closed during a send.
#[derive(Clone, Debug, Error)]
#[error("link closed: {0}")]
pub struct LinkClosed(pub String);

/// The sending half of a transport.
#[async_trait]
pub trait Lanes: Send + Sync {
    /// Sends a message, waiting while the lane's send buffer is full.
    async fn send(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed>;

    /// Sends a message if the lane's send buffer has room for it. Returns whether it had.
    async fn try_send(&self, lane: Lane, message: BytesMut) -> Result<bool, LinkClosed>;

    /// Bytes sent on the lane that the peer has not acknowledged.
    async fn buffered(&self, lane: Lane) -> usize;

    /// Whether the peer's kernel acknowledges, so that a program that hangs or is stopped still seems to acknowledge.
    fn kernel_acknowledges(&self) -> bool {
        false
    }

    /// Announces outside the lanes that this end leaves, and why, if the transport can do so.
    async fn leave(&self, _reason: &str) {}

    /// Closes all lanes and tells the peer if it can. Idempotent.
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

    /// Sends messages one after another and yields to the link after each 48 KiB, so that the peer takes these while
    /// the next are encrypted. Measured with 8 frames in flight, against handing over all at once: 640x480 at 1.15
    /// times the rate with handover in 0.35 of the time, 1920x1080 at 1.36 times the rate in 0.46 of the time. Only for
    /// streams that are never idle: a peer that sleeps between frames is woken at each turn, which costs it more than
    /// it gains (64 clients at 30 frames per second: 1.3 times the processor time).
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

    /// Sends a message on a lane with little traffic. If the buffer stays full, the peer has stopped reading, and the
    /// message is not worth waiting for.
    pub async fn send_soon(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed> {
        let sent = tokio::time::timeout(SOON, self.send(lane, message)).await;
        sent.unwrap_or_else(|_| Err(LinkClosed(format!("it does not read its {lane} lane"))))
    }

    /// Sends a message if the lane's send buffer has room for it. Returns whether it had.
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

    /// Bytes sent on these lanes that the peer has acknowledged. On an unreliable lane, lost bytes count too.
    pub async fn acknowledged(&self, lanes: &[Lane]) -> u64 {
        let mut acknowledged = 0;
        for &lane in lanes {
            acknowledged += self.sent(lane).saturating_sub(self.buffered(lane).await as u64);
        }
        acknowledged
    }

    /// Bytes sent on the lane that the peer has not acknowledged.
    pub async fn buffered(&self, lane: Lane) -> usize {
        self.lanes.buffered(lane).await
    }

    fn kernel_acknowledges(&self) -> bool {
        self.lanes.kernel_acknowledges()
    }

    /// Bytes handed over on the lane.
    fn sent(&self, lane: Lane) -> u64 {
        self.sent[lane as usize].load(Ordering::Relaxed)
    }

    /// Announces outside the lanes that this end leaves, and why. A message on the lanes may be lost or queue behind
    /// much else.
    pub async fn leave(&self, reason: &str) {
        self.lanes.leave(reason).await;
    }

    /// Closes the link once the peer has acknowledged everything on the control lane, or after `limit`. Idempotent.
    pub async fn close_within(&self, limit: Duration) {
        self.close_while_acknowledged(limit, limit).await;
    }

    /// Like [`Self::close_within`], but waits up to `limit` only as long as the peer acknowledges something at least
    /// every `standstill`. On a slow link the control lane may queue behind a megabyte of frames.
    pub async fn close_while_acknowledged(&self, standstill: Duration, limit: Duration) {
        let flushed = async {
            let (mut least, mut last) = (usize::MAX, Instant::now());
            while self.buffered(Lane::Control).await > 0 {
                let left = self.all_buffered().await;
                if left < least {
                    (least, last) = (left, Instant::now());
                } else if last.elapsed() >= standstill {
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
    /// Makes a link over `lanes`, to a peer that takes messages of up to `max_message_size` bytes.
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
        self.is_closed = matches!(event, LinkEvent::Closed | LinkEvent::Broken(_));
        event
    }

    /// Largest message to send, in bytes: what the peer takes, and this link carries at once.
    pub fn max_message_size(&self) -> usize {
        self.max_message_size
    }
}
