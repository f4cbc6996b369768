//! Keeps pictures of a session's worst frames, as their answers come.

use shared::image::Image;

use super::crop::{Crop, crop};
use super::rank::{Rank, Ranking};
use super::values::{Reader, Values};
use crate::score::cells::Cell;
use crate::score::record::{FrameRecord, Outcome};
use crate::task::{Scored, Scorer, TaskName};
use crate::truth::Truth;

/// The picture of a frame that was among the worst of its session when it was answered.
#[derive(Clone, Debug)]
pub struct KeptCrop {
    pub(in crate::output) rank: Rank,
    pub(in crate::output) crop: Crop,
}

/// Decides which frames of a session are among the worst so far. It holds their numbers, not their pixels.
#[derive(Debug)]
pub struct Keeper {
    session: u64,
    task: TaskName,
    /// Number of first frames that are excluded from all figures.
    warmup: u64,
    reader: Reader,
    /// Scores each answer when it arrives. The session scores it later, when all earlier frames have their outcome.
    scorer: Box<dyn Scorer>,
    ranking: Ranking<()>,
}

impl Keeper {
    /// Starts empty.
    pub fn new(session: u64, task: TaskName, warmup: u64) -> Self {
        let (reader, scorer) = (Reader::of(task), task.scorer());
        Self { session, task, warmup, reader, scorer, ranking: Ranking::default() }
    }

    /// Takes a frame that was answered in time. Returns its picture if it is among the worst so far.
    pub fn answered(&mut self, id: u64, truth: Truth, answer: &[Cell], frame: &Image) -> Option<KeptCrop> {
        let Scored { truth, residual } = self.scorer.score(truth, Outcome::Answered, Some(answer));
        let values = self.reader.values(&truth, answer, &residual, true);
        self.keep(id, &values, frame)
    }

    /// Like [`Self::answered`], for a frame that is already scored.
    pub fn scored(&mut self, record: &FrameRecord, frame: &Image) -> Option<KeptCrop> {
        let values = self.reader.read(record);
        self.keep(record.id, &values, frame)
    }

    fn keep(&mut self, id: u64, values: &Values, frame: &Image) -> Option<KeptCrop> {
        if id < self.warmup {
            return None;
        }
        let rank = Rank::of(self.task, self.session, id, values).filter(|rank| self.ranking.has_place(rank))?;
        self.ranking.add(rank, || ());
        Some(KeptCrop { rank, crop: crop(frame, &values.rings()) })
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::{Circle, Size};
    use shared::image::PixelFormat;
    use shared::protocol::message::FoundCircle;

    use super::*;
    use crate::truth::Limit;

    const BALL: Circle = Circle { x: 20.0, y: 15.0, radius: 5.0 };

    /// The picture that a keeper keeps of a frame whose answer is off by `error` px in x.
    fn kept(keeper: &mut Keeper, id: u64, error: f64) -> Option<KeptCrop> {
        let task = TaskName::default();
        let found = FoundCircle { circle: Circle { x: BALL.x + error, ..BALL }.into(), covariance: None };
        let answer = task.scorer().read(&FoundCircle::write(Some(found))).unwrap();
        let frame = Image::zeros(Size { width: 64, height: 48 }, PixelFormat::Gray8);
        keeper.answered(id, Truth::Ball { circle: BALL, limit: Limit::Unknown }, &answer, &frame)
    }

    #[test]
    fn a_frame_is_kept_if_it_is_among_the_worst_so_far_and_after_the_warm_up() {
        let mut keeper = Keeper::new(3, TaskName::default(), 2);
        assert!(kept(&mut keeper, 1, 9.0).is_none(), "the warm-up");
        for id in 2..14 {
            let KeptCrop { rank, crop } = kept(&mut keeper, id, id as f64).unwrap();
            assert_eq!((rank.session, rank.id, rank.badness), (3, id, id as f64));
            assert!(crop.image.width() >= 32);
        }
        assert!(kept(&mut keeper, 14, 1.5).is_none(), "twelve frames are worse");
        assert!(kept(&mut keeper, 15, 2.5).is_some(), "it replaces the least bad frame");
        assert!(kept(&mut keeper, 16, 2.5).is_none(), "an earlier frame with the same error stays");
    }
}
