//! Discs at random places of a frame, for tests that count discs.

use std::ops::RangeInclusive;

use shared::geometry::Circle;

use super::random::Random;

/// Number of places tried for a disc before all discs are placed again.
const TRIES: usize = 200;

/// How discs are thrown.
#[derive(Clone, Debug)]
pub struct Scatter {
    /// Columns and rows of the frame.
    pub size: (usize, usize),
    /// Radii in pixels; each is equally likely.
    pub radii: RangeInclusive<f64>,
    /// Largest part of a disc's area that another disc may cover.
    pub overlap: f64,
    /// Distance in pixels that a disc keeps from the frame's border. Negative lets the border cut discs.
    pub margin: f64,
}

impl Scatter {
    /// Draws random places and radii for `count` discs.
    ///
    /// # Panics
    /// If the discs do not fit into the frame.
    pub fn draw(&self, count: usize, random: &mut Random) -> Vec<Circle> {
        let drawn = (0..TRIES).find_map(|_| self.try_to_draw(count, random));
        drawn.unwrap_or_else(|| panic!("{count} discs do not fit: {self:?}"))
    }

    fn try_to_draw(&self, count: usize, random: &mut Random) -> Option<Vec<Circle>> {
        let mut discs: Vec<Circle> = Vec::with_capacity(count);
        for _ in 0..count {
            let place = (0..TRIES).map(|_| self.place(random)).find(|new| discs.iter().all(|old| self.fits(old, new)));
            discs.push(place?);
        }
        Some(discs)
    }

    fn place(&self, random: &mut Random) -> Circle {
        let radius = random.uniform(*self.radii.start(), *self.radii.end());
        let mut along = |length: usize| {
            let least = radius + self.margin - 0.5;
            random.uniform(least, length as f64 - 1.0 - least)
        };
        Circle { x: along(self.size.0), y: along(self.size.1), radius }
    }

    /// Whether neither disc covers more of the other than allowed.
    fn fits(&self, one: &Circle, other: &Circle) -> bool {
        let smaller = one.radius.min(other.radius);
        common_area(one, other) <= self.overlap * std::f64::consts::PI * smaller * smaller
    }
}

/// Area that two discs share, in px²: two segments of the chord through their intersections.
fn common_area(one: &Circle, other: &Circle) -> f64 {
    let (r, s) = (one.radius, other.radius);
    let apart = (one.x - other.x).hypot(one.y - other.y);
    if apart >= r + s {
        return 0.0;
    }
    if apart <= (r - s).abs() {
        return std::f64::consts::PI * r.min(s).powi(2);
    }
    let segment = |own: f64, else_: f64| {
        let chord = (apart * apart + own * own - else_ * else_) / (2.0 * apart);
        own * own * (chord / own).clamp(-1.0, 1.0).acos() - chord * (own * own - chord * chord).max(0.0).sqrt()
    };
    segment(r, s) + segment(s, r)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_area_agrees_with_counted_points() {
        let one = Circle { x: 50.0, y: 50.0, radius: 20.0 };
        for (apart, radius) in [(50.0, 20.0), (35.0, 20.0), (30.0, 14.0), (10.0, 28.0), (3.0, 12.0)] {
            let other = Circle { x: 50.0 + apart, y: 50.0, radius };
            let holds = |c: &Circle, x: f64, y: f64| (x - c.x).hypot(y - c.y) <= c.radius;
            let points = (0..1000).flat_map(|i| (0..1000).map(move |j| (0.1 * f64::from(i), 0.1 * f64::from(j))));
            let counted = points.filter(|&(x, y)| holds(&one, x, y) && holds(&other, x, y)).count() as f64 / 100.0;
            let computed = common_area(&one, &other);
            // Each point stands for 0.01 px², and the rim is about 100 px long.
            assert!((counted - computed).abs() < 2.0, "{counted} {computed}");
        }
    }

    #[test]
    fn discs_lie_in_the_frame_and_overlap_no_more_than_allowed() {
        let scatter = Scatter { size: (320, 240), radii: 12.0..=30.0, overlap: 0.1, margin: 1.0 };
        for seed in 0..50 {
            let discs = scatter.draw(6, &mut Random::new(seed));
            for (i, disc) in discs.iter().enumerate() {
                let inside = |at: f64, length: f64| (disc.radius + 0.5..=length - disc.radius - 1.5).contains(&at);
                assert!(inside(disc.x, 320.0) && inside(disc.y, 240.0), "{disc:?}");
                assert!(discs[..i].iter().all(|other| scatter.fits(disc, other)), "{discs:?}");
            }
        }
    }
}
