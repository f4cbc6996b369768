//! The list of the worst frames.

use std::cmp::Ordering;

use super::values::Values;
use crate::task::TaskName;

/// Number of frames shown.
const SHOWN: usize = 12;

/// Maximum number of frames without a correct answer among them. Such frames have no error to sort by.
const WRONG: usize = 4;

/// A frame's number, and how bad its answer is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::output) struct Rank {
    /// Larger is worse. Infinite for a frame without a correct answer.
    pub(in crate::output) badness: f64,
    pub(in crate::output) session: u64,
    pub(in crate::output) id: u64,
}

impl Rank {
    /// The rank of a frame with these values. `None` if the error is unknown or zero.
    pub(in crate::output) fn of(task: TaskName, session: u64, id: u64, values: &Values) -> Option<Self> {
        let badness = if values.is_missed || values.is_false {
            f64::INFINITY
        } else {
            let residual = values.residual?;
            // A small PSNR is bad.
            if task.name() == "image" { 1e3 - residual } else { residual.abs() }
        };
        (badness > 0.0).then_some(Self { badness, session, id })
    }

    fn is_wrong(&self) -> bool {
        self.badness == f64::INFINITY
    }

    /// Worst first. Equally bad frames are sorted by their numbers, so that the list does not depend on the order of
    /// arrival.
    fn order(&self, other: &Self) -> Ordering {
        let numbers = (self.session, self.id).cmp(&(other.session, other.id));
        other.badness.total_cmp(&self.badness).then(numbers)
    }
}

/// The worst frames seen so far, with an item kept for each.
#[derive(Debug)]
pub(in crate::output) struct Ranking<T> {
    wrong: Vec<(Rank, T)>,
    others: Vec<(Rank, T)>,
}

impl<T> Default for Ranking<T> {
    fn default() -> Self {
        Self { wrong: Vec::new(), others: Vec::new() }
    }
}

impl<T> Ranking<T> {
    /// Whether the frame is among the worst so far.
    pub(in crate::output) fn has_place(&self, rank: &Rank) -> bool {
        let (kept, most) = if rank.is_wrong() { (&self.wrong, WRONG) } else { (&self.others, SHOWN) };
        kept.len() < most || kept.last().is_some_and(|(least, _)| rank.order(least).is_lt())
    }

    /// Adds a frame if it is among the worst so far. The frame that it replaces leaves the list.
    pub(in crate::output) fn add(&mut self, rank: Rank, keep: impl FnOnce() -> T) {
        if !self.has_place(&rank) {
            return;
        }
        let (kept, most) = if rank.is_wrong() { (&mut self.wrong, WRONG) } else { (&mut self.others, SHOWN) };
        let place = kept.partition_point(|(other, _)| other.order(&rank).is_lt());
        kept.insert(place, (rank, keep()));
        kept.truncate(most);
    }

    /// The worst frames: those without a correct answer, then the others by their error.
    pub(in crate::output) fn shown(&self) -> impl Iterator<Item = &T> {
        self.wrong.iter().chain(&self.others).take(SHOWN).map(|(_, kept)| kept)
    }

    /// All items that are kept: at most 16, of which 12 are shown.
    pub(in crate::output) fn kept(&self) -> impl Iterator<Item = (&Rank, &T)> {
        self.wrong.iter().chain(&self.others).map(|(rank, kept)| (rank, kept))
    }

    /// The item of this frame.
    pub(in crate::output) fn of_frame(&self, session: u64, id: u64) -> Option<&T> {
        self.kept().find(|(rank, _)| (rank.session, rank.id) == (session, id)).map(|(_, kept)| kept)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranks(badness: &[f64]) -> Vec<Rank> {
        (0..).zip(badness).map(|(id, &badness)| Rank { badness, session: 1 + id % 3, id }).collect()
    }

    fn ranking(ranks: &[Rank]) -> Ranking<Rank> {
        let mut ranking = Ranking::default();
        ranks.iter().for_each(|&rank| ranking.add(rank, || rank));
        ranking
    }

    #[test]
    fn at_most_four_frames_without_a_correct_answer_come_first() {
        let badness: Vec<f64> = (0..40).map(|id| if id % 2 == 0 { f64::INFINITY } else { f64::from(id) }).collect();
        let ranking = ranking(&ranks(&badness));
        let shown: Vec<_> = ranking.shown().map(|rank| rank.badness).collect();
        assert_eq!(shown[..4], [f64::INFINITY; 4]);
        assert_eq!(shown[4..], [39.0, 37.0, 35.0, 33.0, 31.0, 29.0, 27.0, 25.0]);
        assert!(ranking.of_frame(1, 0).is_some() && ranking.of_frame(1, 3).is_none());
    }

    proptest! {
        #[test]
        fn a_ranking_is_bounded_and_holds_exactly_the_worst_in_any_order(
            // Few values, so that many frames are equally bad.
            badness in proptest::collection::vec(prop_oneof![1 => Just(f64::INFINITY), 9 => (1_u8..9).prop_map(f64::from)], 0..200),
            order in any::<u64>(),
        ) {
            let mut ranks = ranks(&badness);
            let mut expected = ranks.clone();
            expected.sort_by(Rank::order);
            let wrong = expected.iter().filter(|rank| rank.is_wrong()).take(WRONG);
            let others = expected.iter().filter(|rank| !rank.is_wrong()).take(SHOWN);
            let expected: Vec<Rank> = wrong.chain(others).copied().collect();
            // Shuffled by a multiplicative hash of the frame's number.
            ranks.sort_by_key(|rank| (rank.id + 1).wrapping_mul(order | 1));
            let kept: Vec<Rank> = ranking(&ranks).kept().map(|(_, kept)| *kept).collect();
            prop_assert!(kept.len() <= WRONG + SHOWN);
            prop_assert_eq!(kept, expected);
        }
    }
}
