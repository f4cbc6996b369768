//! Ticks: when the next frame is due, and what becomes of a tick while there is no room for its frame.

use shared::flow::pacer::{Pace, Pacer, Rate};
use shared::time::Micros;

use super::{Action, Phase, Session};

impl Session {
    /// Notes that the source has no frame ready for [`Action::Capture`]. The frame comes later.
    ///
    /// A source that blocks may take a moment for its first frame, such as the start of a decoder. No tick passes
    /// meanwhile: they begin when that frame is captured.
    pub fn source_is_late(&mut self) {
        if self.first_capture.is_some() {
            self.late_frames += 1;
        }
        self.frame_takes_a_while();
    }

    /// Notes that the frame for [`Action::Capture`] is being made, and comes later.
    ///
    /// The first one may take long, because its source is opened with it. No tick passes meanwhile, as for a source that
    /// is late.
    pub fn frame_takes_a_while(&mut self) {
        self.is_starting |= self.first_capture.is_none();
    }

    /// Restarts the ticks at a first frame that was late.
    pub(super) fn start_ticks(&mut self, captured: Micros) {
        let rate = self.rate();
        if let Phase::Streaming(pacer) = &mut self.phase
            && std::mem::take(&mut self.is_starting)
        {
            *pacer = Pacer::new(rate, captured);
            pacer.take(captured);
        }
    }

    /// Whether the frame asked for by [`Action::Capture`] is still wanted: the session may have ended since.
    pub fn is_capturing(&self) -> bool {
        self.capturing && matches!(self.phase, Phase::Streaming(_))
    }

    /// How long the tick of the frame asked for by [`Action::Capture`] had waited for the link or for room in the
    /// window, in µs. The frame counts as captured that much earlier: a pipeline that keeps up on average is still late
    /// with this frame.
    pub fn waited_us(&self) -> u64 {
        self.waited_us
    }

    /// Asks for the next frame if it is due, the window has room and the link is free; else its tick waits or is
    /// skipped.
    ///
    /// A tick waits until the next one is due, so that no tick is lost if link and pipeline keep up on average. In live
    /// delivery a tick is skipped at once, because frames should be fresh.
    pub(super) fn stream(&mut self, now: Micros) -> Action {
        let can_send = self.pairing.has_room() && !self.link_busy;
        let next_moment = self.next_moment(now);
        let (is_live, is_unpaced) = (self.live.is_some(), self.rate() == Rate::Max);
        if self.is_starting || self.waits_for_a_request() {
            return Action::Wait(next_moment);
        }
        let Phase::Streaming(pacer) = &mut self.phase else { return Action::Wait(next_moment) };
        match pacer.poll(now) {
            Pace::Wait(due) => Action::Wait(due.min(next_moment)),
            Pace::Due { missed } if can_send => {
                self.tally.skipped(pacer.next_ticks(missed));
                self.waited_us = if std::mem::take(&mut self.tick_waits) { pacer.overdue_us(now) } else { 0 };
                pacer.take(now);
                // No other frame until the shell has handed this one over.
                (self.capturing, self.link_busy) = (true, true);
                self.serve_request();
                Action::Capture(self.pairing.next_id())
            }
            // An unpaced stream skips nothing: the next answer makes room.
            Pace::Due { .. } if is_unpaced => Action::Wait(next_moment),
            Pace::Due { missed } => {
                let skipped = if is_live { missed + 1 } else { missed };
                self.tally.skipped(pacer.next_ticks(skipped));
                pacer.pass(skipped);
                self.tick_waits = !is_live;
                Action::Wait(pacer.upcoming(now).map_or(next_moment, |due| due.min(next_moment)))
            }
        }
    }
}
