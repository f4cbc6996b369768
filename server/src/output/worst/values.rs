//! The values of a frame that the page shows.

use shared::geometry::Covariance;

use super::crop::Rings;
use crate::score::cells::{Cell, Column};
use crate::score::record::{FrameRecord, Outcome};
use crate::task::TaskName;

/// A frame's values that the page shows.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::output) struct Values {
    pub(in crate::output) residual: Option<f64>,
    pub(in crate::output) error: Option<[f64; 2]>,
    pub(in crate::output) truth: Option<[f64; 2]>,
    pub(in crate::output) estimate: Option<[f64; 2]>,
    pub(in crate::output) radius: Option<f64>,
    pub(in crate::output) estimated_radius: Option<f64>,
    pub(in crate::output) limit: Option<f64>,
    pub(in crate::output) claimed: Option<Covariance>,
    pub(in crate::output) is_missed: bool,
    pub(in crate::output) is_false: bool,
}

impl Values {
    /// Truth and estimate as circles, as far as they are places in the picture.
    pub(in crate::output) fn rings(&self) -> Rings {
        Rings {
            truth: self.truth.map(|at| (at, self.radius)),
            estimate: self.estimate.map(|at| (at, self.estimated_radius)),
        }
    }
}

/// Finds the values of a task's frames by the names of its columns.
#[derive(Debug)]
pub(in crate::output) struct Reader {
    truth: [Option<usize>; 4],
    answer: [Option<usize>; 6],
    residual: [Option<usize>; 4],
}

impl Reader {
    pub(in crate::output) fn of(task: TaskName) -> Self {
        let columns = task.columns();
        let place = |columns: &[Column], name: &str| columns.iter().position(|column| column.name == name);
        // The residual of each task: an error in px or in balls, or a PSNR in dB.
        let own = ["l1", "residual", "psnr_db"].into_iter().find_map(|name| place(columns.residual, name));
        Self {
            truth: ["truth_x", "truth_y", "truth_radius", "limit_l1"].map(|name| place(columns.truth, name)),
            answer: ["x", "y", "radius", "cov_xx", "cov_xy", "cov_yy"].map(|name| place(columns.answer, name)),
            residual: [
                own,
                place(columns.residual, "dx"),
                place(columns.residual, "dy"),
                place(columns.residual, "missed"),
            ],
        }
    }

    pub(in crate::output) fn read(&self, record: &FrameRecord) -> Values {
        let answer = record.answer.as_deref().unwrap_or_default();
        self.values(&record.truth_cells, answer, &record.residual, record.outcome == Outcome::Answered)
    }

    /// The values of a frame that was answered, from its cells.
    pub(in crate::output) fn values(
        &self,
        truth: &[Cell],
        answer: &[Cell],
        residual: &[Cell],
        is_answered: bool,
    ) -> Values {
        let is_empty = matches!(truth.first(), Some(Cell::Word("no ball")));
        let [x, y, radius, limit] = self.truth.map(|place| number(truth, place));
        let [ex, ey, estimated_radius, xx, xy, yy] = self.answer.map(|place| number(answer, place));
        let [residual, dx, dy, missed] = self.residual.map(|place| number(residual, place));
        let (truth, estimate) = (pair(x, y), pair(ex, ey));
        let claimed = xx.zip(xy).zip(yy).map(|((xx, xy), yy)| Covariance { xx, xy, yy });
        Values {
            residual,
            error: pair(dx, dy),
            truth,
            estimate,
            radius,
            estimated_radius,
            limit,
            claimed,
            is_missed: missed == Some(1.0),
            is_false: is_empty && estimate.is_some() && is_answered,
        }
    }
}

fn number(cells: &[Cell], place: Option<usize>) -> Option<f64> {
    cells.get(place?)?.number()
}

fn pair(x: Option<f64>, y: Option<f64>) -> Option<[f64; 2]> {
    x.zip(y).map(|(x, y)| [x, y])
}
