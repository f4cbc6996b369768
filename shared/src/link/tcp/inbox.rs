//! The reading half of a link.

use std::io;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::AsyncReadExt;

use super::assembler::Assembler;
use crate::link::LinkEvent;
use crate::socket::SocketReader;

/// How often the arrival of a part of a message is reported: in time for the first check of a silent peer.
const REPORT_INTERVAL: Duration = Duration::from_millis(250);

/// Reads messages.
pub(super) struct Inbox {
    stream: SocketReader,
    assembler: Assembler,
    reported: Instant,
}

impl Inbox {
    /// Reads from this stream, of which `read` was read already. Messages have at most `most` bytes.
    pub(super) fn new(stream: SocketReader, read: BytesMut, most: usize) -> Self {
        Self { stream, assembler: Assembler::new(read, most), reported: Instant::now() }
    }

    /// The next event. Unlike [`Link::next`](crate::link::Link::next), it loses bytes if it is cancelled.
    pub(super) async fn next(&mut self) -> LinkEvent {
        loop {
            match self.assembler.complete() {
                Ok(Some((lane, message))) => {
                    self.reported = Instant::now();
                    return LinkEvent::Message(lane, message);
                }
                Ok(None) => {}
                Err(wrong) => return LinkEvent::Broken(format!("it sent {wrong}")),
            }
            match self.receive().await {
                Ok(0) if self.assembler.is_under_way() => {
                    return LinkEvent::Broken("it closed the link in the middle of a message".into());
                }
                Ok(0) => return LinkEvent::Closed,
                Ok(_) if self.assembler.is_under_way() && self.reported.elapsed() >= REPORT_INTERVAL => {
                    self.reported = Instant::now();
                    return LinkEvent::Arriving;
                }
                Ok(_) => {}
                Err(error) => return LinkEvent::Broken(format!("the connection broke: {error}")),
            }
        }
    }

    /// Reads what has arrived, as far as it belongs to the message that is arriving.
    async fn receive(&mut self) -> io::Result<usize> {
        let (buffer, most) = self.assembler.room();
        (&mut self.stream).take(most as u64).read_buf(buffer).await
    }
}
