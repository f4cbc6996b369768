//! Rolling shutter: each row of pixels is exposed a line time after the row above it.
//!
//! Row y sees the scene from the frame's time plus y line times on. So each row has an outline of its own, and the covered
//! area of its pixels is that of this outline.

use shared::geometry::Circle;
use shared::lens::matrix::Matrix3;

use super::exposure::Exposed;
use super::outline::{Corners, add_ball, extent};
use super::plane::Region;
use super::recycled::Recycled;
use super::view::Posed;
use crate::scene::Path;

/// Intervals of a frame's time. The place of the ball is computed at their ends. In between, the ball is at most as far
/// from these places as two neighbouring places are apart.
const MOMENTS: usize = 64;

/// The times of a frame's rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a> {
    /// Time from row to row, in s.
    pub(super) line_s: f64,
    /// The path of the ball from the frame's time on.
    pub(super) path: &'a Path,
    /// Moments of the exposure of a row.
    pub(super) places: usize,
}

impl Rows<'_> {
    /// Whether all rows are exposed at the same time.
    pub(super) fn is_global(&self) -> bool {
        self.line_s == 0.0
    }

    /// Least and greatest x, and least and greatest y, of the ball's picture in any row of an image of this height. `None` if
    /// it is not seen.
    pub(super) fn extent(&self, view: &Posed<'_>, radius: f64, height: u32) -> Option<[(f64, f64); 2]> {
        let last_s = f64::from(height) * self.line_s + self.path.open_s();
        let places: Recycled<_> = (0..=MOMENTS).map(|at| self.path.at(at as f64 / MOMENTS as f64 * last_s)).collect();
        let spans = extent(view, &places, radius)?;
        let apart = places.windows(2).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1));
        // A px of the plane may be larger in the image.
        let scale = spans.iter().map(|(low, high)| (high - low) / (2.0 * radius)).fold(1.0, f64::max);
        let margin = scale * apart.fold(0.0, f64::max);
        Some(spans.map(|(low, high)| (low - margin, high + margin)))
    }

    /// Averages the coverage of the ball's picture in each row over the row's exposure, as `outline::expose` does.
    pub(super) fn expose(
        &self,
        view: &Posed<'_>,
        corners: &Corners,
        radius: f64,
        region: Region,
        steering: Option<&Matrix3>,
    ) -> Exposed {
        let slope_cells = if steering.is_some() { region.pixels() } else { 0 };
        let mut exposed = Exposed {
            cover: Recycled::filled(region.pixels(), 0.0),
            slopes: std::array::from_fn(|_| Recycled::filled(slope_cells, 0.0)),
        };
        let share = 1.0 / self.places as f64;
        for row in region.rows() {
            let window = Region { left: 0, top: row - region.top, width: region.width, height: 1 };
            for place in 0..self.places {
                let open_s = (place as f64 + 0.5) * share * self.path.open_s();
                let (x, y) = self.path.at(open_s + row.max(0) as f64 * self.line_s);
                let ball = Circle { x, y, radius };
                add_ball(&mut exposed, view, corners, ball, ((region, 1), window), share, steering);
            }
        }
        exposed
    }
}
