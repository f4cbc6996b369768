//! Counts which messages the peer has acknowledged.
//!
//! A position is a number of bytes of the messages' stream. HTTP/2 puts headers and frames of its own between them. So
//! the position within an unfinished piece is an estimate, which never passes the last message.

use std::collections::VecDeque;

use crate::link::Lane;

/// Number of messages whose ends are remembered: more than fit into a kernel's largest send buffer, as for the link tcp.
const ENDS: usize = 256;

/// Positions up to which bytes were encoded, handed to the kernel and acknowledged.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Position after the last encoded message.
    encoded: u64,
    /// Position up to which HTTP/2 has released the bytes.
    released: u64,
    /// Position up to which the kernel has all bytes.
    flushed: u64,
    /// Bytes that the connection had written when `flushed` was set.
    written_then: u64,
    entries: VecDeque<Entry>,
}

/// An encoded message that may be unacknowledged.
#[derive(Debug)]
struct Entry {
    lane: Lane,
    begin: u64,
    end: u64,
    /// The message's length as the session counts it.
    bytes: usize,
}

impl Ledger {
    /// Notes that a message of `bytes` bytes was encoded into `encoded` bytes. The connection has written `written`
    /// bytes.
    pub(super) fn encoded(&mut self, lane: Lane, bytes: usize, encoded: usize, written: u64) {
        if self.flushed == self.encoded {
            self.written_then = written;
        }
        let begin = self.encoded;
        self.encoded += encoded as u64;
        if self.entries.len() == ENDS {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { lane, begin, end: self.encoded, bytes });
    }

    /// Notes that HTTP/2 has released `bytes` more encoded bytes.
    pub(super) fn released(&mut self, bytes: usize) {
        self.released += bytes as u64;
    }

    /// Notes that the kernel has everything that HTTP/2 has released.
    pub(super) fn flushed(&mut self, written: u64) {
        if self.released > self.flushed {
            (self.flushed, self.written_then) = (self.released, written);
        }
    }

    /// Bytes of encoded messages of a lane that the peer has not acknowledged. The connection has written `written`
    /// bytes, of which `in_kernel` are unacknowledged. Parts of a message count, so that progress within a large message
    /// on a slow link shows that the peer is alive.
    pub(super) fn buffered(&mut self, lane: Lane, written: u64, in_kernel: u64) -> usize {
        let begun = written.saturating_sub(self.written_then);
        let sent = (self.flushed + begun).min(self.encoded.saturating_sub(1)).max(self.flushed);
        let acknowledged = sent.saturating_sub(in_kernel);
        while self.entries.front().is_some_and(|entry| entry.end <= acknowledged) {
            self.entries.pop_front();
        }
        self.entries.iter().filter(|entry| entry.lane == lane).map(|entry| entry.left(acknowledged)).sum()
    }
}

impl Entry {
    /// Bytes of the message beyond this position, rounded up.
    fn left(&self, acknowledged: u64) -> usize {
        let all = self.end - self.begin;
        let left = self.end - acknowledged.clamp(self.begin, self.end);
        (self.bytes as u64 * left).div_ceil(all.max(1)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_buffered_until_the_peers_kernel_has_all_of_it() {
        let mut ledger = Ledger::default();
        ledger.encoded(Lane::Control, 20, 10, 500);
        assert_eq!(ledger.buffered(Lane::Control, 500, 0), 20);
        ledger.released(10);
        assert!(ledger.buffered(Lane::Control, 500, 0) > 0, "released, but not written yet");
        ledger.flushed(519);
        assert_eq!(ledger.buffered(Lane::Control, 519, 19), 20, "written, but not acknowledged");
        assert_eq!(ledger.buffered(Lane::Control, 519, 0), 0);
        assert_eq!(ledger.buffered(Lane::Frames, 519, 0), 0);
    }

    #[test]
    fn frames_of_http_2_itself_acknowledge_no_message() {
        let mut ledger = Ledger::default();
        // Settings and window updates before, between and after.
        ledger.encoded(Lane::Control, 20, 10, 10_000);
        assert_eq!(ledger.buffered(Lane::Control, 10_000, 0), 20);
        ledger.released(10);
        ledger.flushed(10_019);
        ledger.encoded(Lane::Frames, 300, 310, 20_000);
        assert_eq!(ledger.buffered(Lane::Frames, 20_000, 0), 300);
        assert!(ledger.buffered(Lane::Frames, 90_000, 0) > 0, "the last message is never done before it is released");
    }

    #[test]
    fn progress_within_a_large_message_is_visible() {
        let mut ledger = Ledger::default();
        ledger.encoded(Lane::Frames, 1000, 1000, 0);
        let left: Vec<_> = [0, 250, 500].map(|written| ledger.buffered(Lane::Frames, written, 0)).into();
        assert_eq!(left, [1000, 750, 500]);
        assert_eq!(ledger.buffered(Lane::Frames, 500, 300), 800);
        // Flushing in the middle of a piece loses nothing.
        ledger.flushed(500);
        assert_eq!(ledger.buffered(Lane::Frames, 500, 0), 500);
    }

    #[test]
    fn the_memory_of_ends_is_bounded() {
        let mut ledger = Ledger::default();
        for _ in 0..10_000 {
            ledger.encoded(Lane::Answers, 50, 40, 0);
        }
        assert_eq!(ledger.entries.len(), ENDS);
    }
}
