//! What stands before the ball: a rectangle that hides a tenth to a third of its outline.

use shared::geometry::Circle;

use super::backdrop::gray_apart;
use super::config::CameraConfig;
use super::plane::Region;
use super::polygon::Polygon;
use crate::scene::{Random, Stream};

/// Least and greatest share of the outline that is hidden.
const HIDDEN: (f64, f64) = (0.1, 1.0 / 3.0);

/// What stands before the ball in one frame.
#[derive(Clone, Debug)]
pub(super) struct Occluder {
    pub(super) shape: Polygon,
    pub(super) gray: f32,
}

impl Occluder {
    /// A rectangle at a random side of the disc, its near edge a chord; gray as clutter is.
    pub(super) fn new(config: &CameraConfig, disc: Circle, random: &Random, index: u64) -> Self {
        let mut draws = random.sequence(Stream::Occluder, index);
        let (right, down) = draws.direction();
        // The edge at r · cos πp from the centre hides a share p of the outline.
        let edge = disc.radius * libm::cos(std::f64::consts::PI * draws.between(HIDDEN.0, HIDDEN.1));
        // Its far corners must not come back into the disc: half the edge is over r · sin ⅓π = 0.87 r.
        let half_edge = disc.radius * draws.between(1.0, 2.0);
        let half_depth = disc.radius * draws.between(0.6, 1.2);
        let away = edge + half_depth;
        let middle = (disc.x + right * away, disc.y + down * away);
        let shape = Polygon::rectangle(middle, (right, down), half_depth, half_edge);
        Self { shape, gray: gray_apart(config, &mut draws) }
    }

    /// The pixels it can touch.
    pub(super) fn region(&self, within: Region) -> Region {
        self.shape.coverage(within).region
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_to_a_third_of_the_outline_is_hidden() {
        let disc = Circle { x: 100.0, y: 120.0, radius: 30.0 };
        let within = Region { left: 0, top: 0, width: 300, height: 300 };
        for index in 0..200 {
            let occluder = Occluder::new(&CameraConfig::default(), disc, &Random::new(8), index);
            let cover = occluder.shape.coverage(within);
            const POINTS: u32 = 3600;
            let hidden = |point: &u32| {
                let (sin, cos) = (f64::from(*point) * std::f64::consts::TAU / f64::from(POINTS)).sin_cos();
                let (x, y) = (disc.x + disc.radius * cos, disc.y + disc.radius * sin);
                cover.at(x.round() as i64, y.round() as i64) > 0.5
            };
            let share = (0..POINTS).filter(hidden).count() as f64 / f64::from(POINTS);
            // A pixel's side at each end of the chord, of an outline of 188 px.
            assert!((0.085..0.35).contains(&share), "frame {index}: {share}");
        }
    }
}
