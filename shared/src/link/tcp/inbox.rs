//! The reading half of a link.

use std::io;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tracing::{debug, warn};

use super::framing::{FramingError, HEADER, parse};
use crate::link::{Lane, LinkEvent};
use crate::pool::BufferPool;

/// Room for headers and small messages, in bytes: some forty answers with one system call.
const SMALL: usize = 8 << 10;

/// Memory for a message before its bytes arrive, in bytes, unless messages of its size have come before. More is added
/// as it fills, so a peer that only claims a length costs no more.
const TRUSTED: usize = 1 << 20;

/// Number of buffers for large messages that are used again: those of a default window, twice.
const POOLED: usize = 16;

/// How often the arrival of a part of a message is reported: in time for the first look at a silent peer.
const REPORT_INTERVAL: Duration = Duration::from_millis(250);

/// Reads messages.
pub(super) struct Inbox {
    stream: OwnedReadHalf,
    most: usize,
    /// What was read and not handed out yet: headers and small messages.
    read: BytesMut,
    /// The large message that is arriving.
    large: Option<Large>,
    pool: BufferPool,
    /// Size of the largest message so far.
    trusted: usize,
    reported: Instant,
}

/// A message that is read into memory of its own.
struct Large {
    lane: Lane,
    body: BytesMut,
    bytes: usize,
}

impl Inbox {
    /// Reads from this stream, of which `read` was read already. Messages have at most `most` bytes.
    pub(super) fn new(stream: OwnedReadHalf, read: BytesMut, most: usize) -> Self {
        let reported = Instant::now();
        Self { stream, most, read, large: None, pool: BufferPool::new(POOLED), trusted: TRUSTED, reported }
    }

    /// The next event. Unlike [`Link::next`](crate::link::Link::next), it loses bytes if it is cancelled.
    pub(super) async fn next(&mut self) -> LinkEvent {
        loop {
            match self.complete() {
                Ok(Some(event)) => {
                    self.reported = Instant::now();
                    return event;
                }
                Ok(None) => {}
                Err(wrong) => {
                    warn!(kind = "framing", "the link closes: {wrong}");
                    return LinkEvent::Closed;
                }
            }
            match self.receive().await {
                Ok(0) => return LinkEvent::Closed,
                Ok(_) if self.is_under_way() && self.reported.elapsed() >= REPORT_INTERVAL => {
                    self.reported = Instant::now();
                    return LinkEvent::Arriving;
                }
                Ok(_) => {}
                Err(error) => {
                    debug!("the link closes: {error}");
                    return LinkEvent::Closed;
                }
            }
        }
    }

    /// Whether a part of a message has arrived.
    fn is_under_way(&self) -> bool {
        self.large.as_ref().is_some_and(|large| large.body.len() < large.bytes) || !self.read.is_empty()
    }

    /// The next message, if all of it has arrived.
    fn complete(&mut self) -> Result<Option<LinkEvent>, FramingError> {
        if self.large.is_none() {
            let Some(header) = self.read.first_chunk::<HEADER>() else { return Ok(None) };
            let (lane, bytes) = parse(*header, self.most)?;
            if self.read.len() >= HEADER + bytes {
                self.read.advance(HEADER);
                return Ok(Some(LinkEvent::Message(lane, self.read.split_to(bytes).freeze())));
            }
            if HEADER + bytes <= SMALL {
                return Ok(None);
            }
            self.begin(lane, bytes);
        }
        let Some(Large { lane, body, .. }) = self.large.take_if(|large| large.body.len() == large.bytes) else {
            return Ok(None);
        };
        self.trusted = self.trusted.max(body.len());
        Ok(Some(LinkEvent::Message(lane, self.pool.share(body).freeze())))
    }

    /// Begins to read a message into memory of its own.
    fn begin(&mut self, lane: Lane, bytes: usize) {
        self.read.advance(HEADER);
        let mut body = self.pool.take(bytes.min(self.trusted));
        // Less than the whole message is there, and all of what is there belongs to it.
        body.extend_from_slice(&self.read);
        self.read.clear();
        self.large = Some(Large { lane, body, bytes });
    }

    /// Reads what has arrived, as far as it belongs to the message that is arriving.
    async fn receive(&mut self) -> io::Result<usize> {
        let Some(Large { body, bytes, .. }) = &mut self.large else {
            self.read.reserve(SMALL);
            return self.stream.read_buf(&mut self.read).await;
        };
        let missing = *bytes - body.len();
        if body.len() == body.capacity() {
            body.reserve(missing.min(body.len()));
        }
        (&mut self.stream).take(missing as u64).read_buf(body).await
    }
}
