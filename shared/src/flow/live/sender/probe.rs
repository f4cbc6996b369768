//! Probes for one frame, like a tail loss probe (RFC 8985, section 7): one of its pieces is sent again when its
//! acknowledgement is late.

use crate::time::Micros;

/// Maximum number of probes per frame. At 5 % loss each way, one of ten goes unanswered. So for one of 1000 frames all
/// fail, and only the next frame shows the loss.
const MAX_PROBES: u32 = 3;

/// When a frame is next probed for, and with which piece.
#[derive(Debug)]
pub(super) struct Probe {
    due: Option<Micros>,
    piece: usize,
    left: u32,
}

impl Probe {
    /// The first probe is due at `due`, with this piece.
    pub(super) fn new(due: Micros, piece: usize) -> Self {
        Self { due: Some(due), piece, left: MAX_PROBES }
    }

    /// Cancels all further probes.
    pub(super) fn cancel(&mut self) {
        self.due = None;
    }

    /// Postpones the probe to `due`, after pieces of the frame were retransmitted. These may be lost again, so the
    /// probe resends one of them, `piece`.
    pub(super) fn put_off(&mut self, due: Micros, piece: Option<usize>) {
        self.due = self.due.map(|_| due);
        self.piece = piece.unwrap_or(self.piece);
    }

    /// Whether a probe is due now. True once per probe.
    pub(super) fn take_due(&mut self, now: Micros) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }

    /// Notes that the due probe was sent. The next, if any is left, is due at `next`.
    pub(super) fn sent(&mut self, next: Micros) {
        self.left = self.left.saturating_sub(1);
        self.due = (self.left > 0).then_some(next);
    }

    /// When the next probe is due.
    pub(super) fn due(&self) -> Option<Micros> {
        self.due
    }

    /// Index of the piece to send as a probe.
    pub(super) fn piece(&self) -> usize {
        self.piece
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_probed_for_three_times() {
        let mut probe = Probe::new(Micros(0), 4);
        let sent = (0..10).filter(|&now| {
            let due = probe.take_due(Micros(now));
            if due {
                probe.sent(Micros(now + 1));
            }
            due
        });
        assert_eq!(sent.collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn a_retransmission_postpones_the_probe_but_does_not_restore_a_cancelled_one() {
        let mut probe = Probe::new(Micros(5), 4);
        probe.put_off(Micros(8), Some(1));
        assert_eq!((probe.due(), probe.piece()), (Some(Micros(8)), 1));
        probe.put_off(Micros(9), None);
        assert_eq!((probe.due(), probe.piece()), (Some(Micros(9)), 1));
        probe.cancel();
        probe.put_off(Micros(10), None);
        assert_eq!(probe.due(), None);
    }
}
