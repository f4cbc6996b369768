//! The ages of a camera's frames when their answers come.

use std::collections::VecDeque;

use shared::time::Micros;

use crate::score::latency::{Percentiles, Series};
use crate::score::record::FrameRecord;

/// Frames that were sent, with the time at which the camera took them, until their outcome is final.
#[derive(Debug, Default)]
pub(super) struct Ages {
    /// At most as many as the window has room for.
    open: VecDeque<(u64, Micros)>,
    to_answer: Series,
}

impl Ages {
    /// Notes that frame `id`, which the camera took at this time, is being sent.
    pub(super) fn sent(&mut self, id: u64, taken: Option<Micros>) {
        self.open.extend(taken.map(|taken| (id, taken)));
    }

    /// Notes a frame's outcome. Outcomes come in the order of the frames.
    pub(super) fn scored(&mut self, record: &FrameRecord) {
        while let Some((id, taken)) = self.open.pop_front_if(|(id, _)| *id <= record.id) {
            if let Some(latency) = record.latency.filter(|_| id == record.id) {
                let answered_us = record.captured.0.saturating_add(latency.total_us);
                self.to_answer.add(Some(Micros(answered_us).since(taken)));
            }
        }
    }

    /// Age of the frames when their answers were decoded, in µs.
    pub(super) fn to_answer_us(&self) -> Percentiles {
        self.to_answer.percentiles()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::record;

    #[test]
    fn age_at_the_answer_is_age_at_the_capture_plus_latency() {
        let mut ages = Ages::default();
        for id in 0..4 {
            // `record` puts the capture at 100 µs times the id, and the answer 50 µs later.
            ages.sent(id, (id != 2).then_some(Micros((id * 100).saturating_sub(30))));
        }
        ages.scored(&record(0));
        assert_eq!(ages.to_answer_us().max, Some(50), "the camera's clock began with ours");
        let lost = FrameRecord { latency: None, ..record(1) };
        ages.scored(&lost);
        ages.scored(&record(2));
        assert_eq!(ages.to_answer_us().max, Some(50), "neither the lost one nor the one of unknown age counts");
        ages.scored(&record(3));
        assert_eq!(ages.to_answer_us().max, Some(80));
        assert!(ages.open.is_empty());
    }
}
