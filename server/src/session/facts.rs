//! What the shell and the report ask a session for.

use std::time::Duration;

use shared::flow::clock::ClockOffset;
use shared::flow::live::Sender;
use shared::flow::pacer::Rate;
use shared::protocol::encoding::StreamEncoding;
use shared::time::Micros;

use super::{ClientInfo, Session, Tally};
use crate::task::TaskName;

impl Session {
    /// The session's number.
    pub fn number(&self) -> u64 {
        self.config.number
    }

    /// How the session's frames are encoded.
    pub fn encoding(&self) -> StreamEncoding {
        self.config.encoding
    }

    /// The task of the pipeline.
    pub fn task(&self) -> TaskName {
        self.config.task
    }

    /// The client, once it has said hello.
    pub fn client(&self) -> Option<&ClientInfo> {
        self.client.as_ref()
    }

    /// The scores so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Time from the accepted TCP connection to both hellos, in µs.
    pub fn connect_us(&self) -> Option<u64> {
        self.connect_us
    }

    /// Time from the accepted TCP connection to the first score, in µs.
    pub fn first_score_us(&self) -> Option<u64> {
        self.first_score_us
    }

    /// How long after its capture a frame may be in flight; `None` in reliable delivery, which has no limit.
    pub fn lifetime(&self) -> Option<Duration> {
        self.config.lifetime()
    }

    /// Offset of the client's clock from ours, as far as it is known `now`.
    pub fn clock_offset(&self, now: Micros) -> Option<ClockOffset> {
        self.offset.best(now)
    }

    /// Round trip time of a small message, in µs, measured by pings; `None` before the first.
    pub fn round_trip_us(&self) -> Option<u64> {
        self.offset.round_trip_us()
    }

    /// Number of retransmitted pieces, in live delivery.
    pub fn repeated_pieces(&self) -> u64 {
        self.live.as_ref().map_or(0, Sender::retransmitted)
    }

    /// Number of ticks at which the source had no frame ready; `None` in a stream without ticks.
    pub fn late_frames(&self) -> Option<u64> {
        (self.rate() != Rate::Max).then_some(self.late_frames)
    }

    /// Number of messages that were malformed or of unknown type.
    pub fn ignored_messages(&self) -> u64 {
        self.ignored_messages
    }
}
