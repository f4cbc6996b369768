//! A ball that is seen through a lens, or by a rolling shutter.

use shared::geometry::Circle;

use super::{Ball, Hidden, Pipeline};
use crate::camera::backdrop::Backdrop;
use crate::camera::exposure::places_at_scale;
use crate::camera::outline::{self, Corners, extent};
use crate::camera::plane::Region;
use crate::camera::rows::Rows;
use crate::camera::view::{Posed, View};
use crate::scene::Shot;

impl Pipeline {
    /// The circle of the ball's picture: of its area, if it is no circle.
    pub(in crate::camera) fn shown(&self, shot: &Shot, index: u64) -> Circle {
        let view = self.view.as_ref().filter(|view| view.has_lens());
        let seen = view.and_then(|view| view.of_frame(index).seen(shot.circle()));
        seen.map_or_else(|| shot.circle(), |(circle, _)| circle)
    }

    /// The lens and the plane; `None` if the plane is the image.
    pub(in crate::camera) fn view(&self) -> Option<&View> {
        self.view.as_ref()
    }

    /// The light of a ball that is seen through a lens; `None` if it does not reach the image.
    pub(super) fn viewed_ball(
        &self,
        view: &Posed<'_>,
        shot: &Shot,
        backdrop: &Backdrop,
        hidden: Option<&Hidden>,
    ) -> Option<Ball> {
        let (image, reach) = (Region::of_image(self.size), self.optics.reach);
        let still = extent(view, &[shot.path.middle()], shot.radius)?;
        let half_px = still.map(|(low, high)| (high - low) / 2.0).into_iter().fold(0.0, f64::max);
        let places = places_at_scale(&shot.path, half_px / shot.radius);
        let rows = Rows { line_s: self.config.rolling_shutter / 1e6, path: &shot.path, places: places.len() };
        let [x, y] = match rows.is_global() {
            true => extent(view, &places, shot.radius)?,
            false => rows.extent(view, shot.radius, self.size.height)?,
        };
        let touched = Region::around(x, y, image.grown(reach));
        let region = touched.grown(reach).intersection(image);
        if region.is_empty() {
            return None;
        }
        // Grown by the reach, because blur spreads the light beyond the touched pixels.
        let cells = touched.grown(reach);
        let steering = if self.model.is_known() { view.steering(shot.circle()) } else { None };
        let (corners, fine) = (Corners::new(half_px), self.optics.fine);
        let exposed = match rows.is_global() {
            true => outline::expose(view, &corners, &places, shot.radius, (cells, fine), steering.as_ref()),
            false => rows.expose(view, &corners, shot.radius, cells, steering.as_ref()),
        };
        Some(self.even_ball(exposed, steering.is_some(), (cells, region), backdrop, hidden))
    }
}
