//! The data of a calibration: frames with a truth and an answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use shared::geometry::{Covariance, Size};
use shared::lens::Point;

use super::error::CalibrateError;
use super::track::Track;

/// A frame with a truth and an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Observation {
    pub(super) frame: u64,
    /// Truth, in px.
    pub(super) truth: Point,
    /// Answer, in px.
    pub(super) answer: Point,
    /// Time of the truth, in µs.
    pub(super) time_us: Option<f64>,
    /// Covariance of the answer.
    pub(super) covariance: Option<Covariance>,
    /// Radius of the ball.
    pub(super) radius: Option<f64>,
    /// Number of the plane's pose, from 1; 0 if it is not known.
    pub(super) pose: u32,
}

/// The frames of a run or of a CSV file: those of one pose of a camera.
#[derive(Clone, Debug, Default)]
pub(super) struct Set {
    /// The path that was given.
    pub(super) name: String,
    /// Frames with an answer, by id.
    pub(super) observations: Vec<Observation>,
    /// Where the truth was at any time; empty without times. The sets of all poses share it.
    pub(super) track: Arc<Track>,
    /// Size of the images, if the input has it.
    pub(super) size: Option<Size>,
    /// Whether the covariances come from the user's CSV file. Otherwise they are a pipeline's own.
    pub(super) is_stated: bool,
    /// Whether the truth is that of a plane which is seen through a lens.
    pub(super) is_projected: bool,
}

impl Set {
    /// Checks that the answers and the truths vary.
    pub(super) fn check(&self) -> Result<(), CalibrateError> {
        let frames = self.observations.len();
        let Some(first) = self.observations.first() else { return Ok(()) };
        let same = |of: fn(&Observation) -> Point| self.observations.iter().all(|one| of(one) == of(first));
        if frames > 1 && same(|one| one.truth) {
            let [x, y] = first.truth;
            return Err(CalibrateError::NoMotion { name: self.name.clone(), x, y });
        }
        if frames > 1 && same(|one| one.answer) {
            let [x, y] = first.answer;
            return Err(CalibrateError::OnePlace { frames, x, y });
        }
        Ok(())
    }

    /// A set for each pose of the plane: at most as many as a run can have. All of them have the whole track.
    pub(super) fn by_pose(self) -> Vec<Self> {
        let poses = self.poses();
        if poses.len() < 2 {
            return vec![self];
        }
        let of = |pose: &u32| {
            let own = self.observations.iter().filter(|one| one.pose == *pose).copied().collect();
            let name = format!("{}, pose {pose}", self.name);
            Self { name, observations: own, track: Arc::clone(&self.track), ..self }
        };
        poses.iter().map(of).collect()
    }

    /// The numbers of the poses in which the plane is seen.
    pub(super) fn poses(&self) -> BTreeSet<u32> {
        self.observations.iter().map(|one| one.pose).collect()
    }

    /// Whether each answer has a covariance.
    pub(super) fn has_covariances(&self) -> bool {
        !self.observations.is_empty() && self.observations.iter().all(|one| one.covariance.is_some())
    }

    /// Whether the truths lie on one line, to a millionth of its length.
    pub(super) fn is_a_line(&self) -> bool {
        let count = self.observations.len() as f64;
        let mean = [0, 1].map(|axis| self.observations.iter().map(|one| one.truth[axis]).sum::<f64>() / count);
        let moment = |a: usize, b: usize| {
            self.observations.iter().map(|one| (one.truth[a] - mean[a]) * (one.truth[b] - mean[b])).sum::<f64>()
        };
        let (xx, xy, yy) = (moment(0, 0), moment(0, 1), moment(1, 1));
        let (middle, half) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
        middle - half <= 1e-12 * (middle + half)
    }
}

/// The size of all sets; `None` if no set has one.
pub(super) fn common_size(sets: &[Set]) -> Result<Option<Size>, CalibrateError> {
    let mut known = sets.iter().filter_map(|set| Some((&set.name, set.size?)));
    let Some((name, size)) = known.next() else { return Ok(None) };
    match known.find(|(_, other)| *other != size) {
        Some((other, other_size)) => {
            Err(CalibrateError::Sizes { name: name.clone(), size, other: other.clone(), other_size })
        }
        None => Ok(Some(size)),
    }
}
