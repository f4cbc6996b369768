//! The occluder in front of the ball: a rectangle that hides a tenth to a third of the outline.

use shared::geometry::Circle;

use super::backdrop::gray_apart;
use super::config::CameraConfig;
use super::plane::Region;
use super::polygon::Polygon;
use crate::scene::{Random, Stream};

/// Smallest and largest share of the outline that is hidden.
const HIDDEN: (f64, f64) = (0.1, 1.0 / 3.0);

/// The occluder in one frame.
#[derive(Clone, Debug)]
pub(super) struct Occluder {
    pub(super) shape: Polygon,
    pub(super) gray: f32,
}

impl Occluder {
    /// A rectangle on a random side of the disc. Its near edge is a chord of the disc; its gray is one of clutter's.
    pub(super) fn new(config: &CameraConfig, disc: Circle, random: &Random, index: u64) -> Self {
        let mut draws = random.sequence(Stream::Occluder, index);
        let (right, down) = draws.direction();
        // An edge at the distance r · cos πp from the centre hides a share p of the outline.
        let edge = disc.radius * libm::cos(std::f64::consts::PI * draws.between(HIDDEN.0, HIDDEN.1));
        // Half the edge is longer than r · sin ⅓π = 0.87 r, so no corner of the rectangle is inside the disc.
        let half_edge = disc.radius * draws.between(1.0, 2.0);
        let half_depth = disc.radius * draws.between(0.6, 1.2);
        let away = edge + half_depth;
        let middle = (disc.x + right * away, disc.y + down * away);
        let shape = Polygon::rectangle(middle, (right, down), half_depth, half_edge);
        Self { shape, gray: gray_apart(config, &mut draws) }
    }

    /// The pixels of `within` that the occluder can touch.
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
            // The count may be off by a pixel's side at each end of the chord. The outline is 188 px long.
            assert!((0.085..0.35).contains(&share), "frame {index}: {share}");
        }
    }
}
