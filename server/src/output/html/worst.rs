//! The worst frames of a run.

/// Number of frames shown.
pub(super) const SHOWN: usize = 12;

/// Maximum number of frames without a right answer among them. Such frames have no error to sort by.
const WRONG: usize = 4;

/// A circle: its centre, and its radius if it is known.
pub(super) type Ring = ([f64; 2], Option<f64>);

/// A bad frame.
#[derive(Clone, Debug)]
pub(super) struct Bad {
    pub(super) session: u64,
    pub(super) id: u64,
    pub(super) source_index: u64,
    /// How bad it is: the larger, the worse. Infinite for a frame without a right answer.
    pub(super) badness: f64,
    /// The same in words.
    pub(super) what: String,
    pub(super) truth: Option<Ring>,
    pub(super) estimate: Option<Ring>,
}

/// The worst frames seen so far, the worst first.
#[derive(Debug, Default)]
pub(super) struct Worst {
    frames: Vec<Bad>,
    wrong: Vec<Bad>,
}

impl Worst {
    /// Adds a frame if it is one of the worst.
    pub(super) fn add(&mut self, badness: f64, frame: impl FnOnce() -> Bad) {
        if badness == f64::INFINITY {
            if self.wrong.len() < WRONG {
                self.wrong.push(frame());
            }
            return;
        }
        let is_full = self.frames.len() == SHOWN;
        if badness > 0.0 && (!is_full || self.frames.last().is_some_and(|least| badness > least.badness)) {
            let place = self.frames.partition_point(|kept| kept.badness >= badness);
            self.frames.insert(place, frame());
            self.frames.truncate(SHOWN);
        }
    }

    /// The worst frames: those without a right answer, then the others by their error.
    pub(super) fn frames(&self) -> impl Iterator<Item = &Bad> {
        self.wrong.iter().chain(&self.frames).take(SHOWN)
    }
}
