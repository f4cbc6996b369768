//! The limit of a picture: in closed form if there is one, else from all of its pixels.

use super::{Ball, Hidden, Pipeline};
use crate::camera::backdrop::Backdrop;
use crate::camera::fisher::Fisher;
use crate::camera::limit::Pixel;
use crate::camera::plane::Region;
use crate::camera::shape::SHAPE;
use crate::scene::Shot;
use crate::truth::Limit;

/// Number of samples along the shorter side of the image, for the information that pixels away from the ball give about
/// the background. There are so many of these pixels that coarse samples are enough for its level and slope.
const SAMPLES: u32 = 32;

impl Pipeline {
    /// The limit in closed form; only for a disc at rest that is wholly inside the image.
    pub(super) fn closed(&self, shot: &Shot, places: &[(f64, f64)]) -> Option<Limit> {
        let [(x, y)] = places else { return None };
        let reach = shot.radius + self.optics.reach as f64;
        let whole = |centre: f64, side: u32| centre - reach >= -0.5 && centre + reach <= f64::from(side) - 0.5;
        let whole = whole(*x, self.size.width) && whole(*y, self.size.height);
        self.model.closed(shot.radius).filter(|_| whole)
    }

    /// The limit of the picture of a ball.
    pub(super) fn limit(&self, shot: &Shot, ball: &Ball, backdrop: &Backdrop, hidden: Option<&Hidden>) -> Limit {
        if !self.model.is_known() {
            return Limit::Unknown;
        }
        let Some(slopes) = &ball.slopes else {
            return self.closed(shot, &[shot.path.middle()]).unwrap_or(Limit::Unknown);
        };
        let mut fisher = self.model.fisher();
        let (x0, y0) = shot.path.middle();
        let place = |x: i64, y: i64| ((x as f64 - x0) / 100.0, (y as f64 - y0) / 100.0);
        let layers = [&slopes[0], &slopes[1], &slopes[2]];
        for y in ball.region.rows() {
            let (cover, behind) = (ball.light.cover.row(y), ball.light.behind.row(y));
            let rows = layers.map(|layer| (layer.cover.row(y), layer.behind.row(y)));
            let opacity = ball.light.opacity.as_ref().map_or(cover, |opacity| opacity.row(y));
            let base = self.base.part(y, ball.region.columns());
            let gains = self.vignette.row(y as usize);
            for (index, x) in ball.region.columns().enumerate() {
                let gain = gains.map_or(1.0, |gains| f64::from(gains[x as usize]));
                let (cover, behind) = (f64::from(cover[index]), f64::from(behind[index]));
                let light = |level: f64| gain * (f64::from(base[index]) + level * cover - behind);
                let slope = |layer: usize, level: f64| {
                    let (cover, behind) = rows[layer];
                    gain * (level * f64::from(cover[index]) - f64::from(behind[index]))
                };
                let levels = self.levels.ball;
                let hides = f64::from(opacity[index]);
                // For a shaded ball, the level is that of the ambient light. The other light has parameters of its own.
                let ground = if self.model.unknown.light { 0.0 } else { self.levels.background };
                let share = |level: f64| gain * hides * (level - ground);
                let shape = std::array::from_fn(|parameter| match ball.shape.get(parameter) {
                    Some(layer) => {
                        let (cover, behind) = (layer.cover.row(y)[index], layer.behind.row(y)[index]);
                        levels.map(|level| gain * (level * f64::from(cover) - f64::from(behind)))
                    }
                    None => [0.0; 3],
                });
                let pixel = Pixel {
                    light: levels.map(light),
                    ball: [
                        levels.map(|l| slope(0, l)),
                        levels.map(|l| slope(1, l)),
                        levels.map(|l| slope(2, l)),
                        levels.map(share),
                    ],
                    shape,
                    background: gain * (1.0 - hides - hidden.map_or(0.0, |hidden| f64::from(hidden.blurred.at(x, y)))),
                    place: place(x, y),
                };
                self.model.add(&mut fisher, &pixel, 1.0);
            }
        }
        if !matches!(backdrop, Backdrop::Texels(_)) {
            self.add_background(&mut fisher, ball.region, place);
        }
        self.model.of(&fisher)
    }

    /// Adds the information that the image outside the ball's region gives about the background, by samples.
    fn add_background(&self, fisher: &mut Fisher, ball: Region, place: impl Fn(i64, i64) -> (f64, f64)) {
        let stride = (self.size.shorter_side() / SAMPLES).max(1) as usize;
        let image = Region::of_image(self.size);
        for y in image.rows().step_by(stride) {
            let gains = self.vignette.row(y as usize);
            for x in image.columns().step_by(stride) {
                if ball.columns().contains(&x) && ball.rows().contains(&y) {
                    continue;
                }
                let gain = gains.map_or(1.0, |gains| f64::from(gains[x as usize]));
                let light = [gain * f64::from(self.base.at(x, y)); 3];
                let pixel = Pixel {
                    light,
                    ball: [[0.0; 3]; 4],
                    shape: [[0.0; 3]; SHAPE],
                    background: gain,
                    place: place(x, y),
                };
                self.model.add(fisher, &pixel, (stride * stride) as f64);
            }
        }
    }
}
