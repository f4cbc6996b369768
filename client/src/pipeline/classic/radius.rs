//! Finds the radius of each centre from the number of edge pixels on the circle, and the best of these circles.
//!
//! Distances are counted in bins of a tenth of a pixel. The edge pixels of ten bins in a row belong to one circle. Of
//! two radii the one with more edge pixels per circumference is better.

use std::cmp::Ordering;

use shared::geometry::Circle;

use super::canny::{Edges, Pixel};
use super::radii::Radii;
use super::round::round;
use super::vote::Votes;

/// Maximum number of distances between a centre and an edge pixel that are measured in a frame: half a second's work of
/// one core. The remaining centres, which have fewer votes, are left out. A photograph of
/// 1282x1110 at the default limits has a hundred times more.
const MOST_DISTANCES: usize = 1 << 28;

/// Bins of distance per px, as in OpenCV.
const BINS_PER_PX: usize = 10;

/// The circles of a frame and the buffers of the search.
#[derive(Default)]
pub(super) struct Supports {
    /// Circles with more edge pixels than a centre needs votes, in no particular order.
    pub(super) circles: Vec<Supported>,
    squares: Vec<f32>,
    bins: Vec<u32>,
}

/// A circle and the number of edge pixels on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Supported {
    pub(super) pixels: u32,
    pub(super) radius: f32,
    pub(super) centre: (f32, f32),
}

impl Supports {
    /// The circle with the most edge pixels; `None` if no circle has more than a centre needs votes.
    pub(super) fn best(&mut self, edges: &Edges, votes: &Votes, radii: Radii) -> Option<Circle> {
        self.best_within(MOST_DISTANCES, edges, votes, radii)
    }

    /// The best circle of the centres that fit into `most` distances to edge pixels. The centre with the most votes is
    /// always looked at.
    pub(super) fn best_within(&mut self, most: usize, edges: &Edges, votes: &Votes, radii: Radii) -> Option<Circle> {
        self.circles.clear();
        let mut left = most;
        for (i, centre) in votes.centres().enumerate() {
            let near = near(edges, centre, radii);
            if i > 0 && near.len() > left {
                break;
            }
            left = left.saturating_sub(near.len());
            let found = self.support(near, centre, radii);
            if found.pixels > votes.least {
                self.circles.push(found);
            }
        }
        self.circles.iter().max_by(|a, b| a.compare(b)).map(Supported::circle)
    }

    fn support(&mut self, near: &[Pixel], centre: (f32, f32), radii: Radii) -> Supported {
        let kept = self.measure(near, centre, radii);
        self.count(kept, radii);
        let (radius, pixels) = self.best_radius(radii);
        Supported { pixels, radius, centre }
    }

    /// Collects the squared distances from a centre of all edge pixels within the radii. Returns their number.
    fn measure(&mut self, edges: &[Pixel], (x, y): (f32, f32), radii: Radii) -> usize {
        let square = |radius: u32| (radius as f32) * (radius as f32);
        let (least, most) = (square(radii.min), square(radii.max));
        if self.squares.len() < edges.len() {
            self.squares.resize(edges.len(), 0.0);
        }
        let mut kept = 0;
        for edge in edges {
            let (dx, dy) = (x - edge.x as f32, y - edge.y as f32);
            let squared = dx * dx + dy * dy;
            self.squares[kept] = squared;
            kept += usize::from(least <= squared && squared <= most);
        }
        kept
    }

    /// Counts the distances in bins of a tenth of a pixel, from the smallest radius on. Larger distances count in the
    /// last bin.
    fn count(&mut self, kept: usize, radii: Radii) {
        let last = BINS_PER_PX * (radii.max - radii.min) as usize - 1;
        self.bins.clear();
        self.bins.resize(last + 1, 0);
        for &squared in &self.squares[..kept] {
            let bin = round((squared.sqrt() - radii.min as f32) * BINS_PER_PX as f32) as usize;
            self.bins[bin.min(last)] += 1;
        }
    }

    /// The radius with the most edge pixels per circumference, and their number. Of equal radii it is the smaller one.
    ///
    /// The search goes from large to small radii. A window of ten bins starts at each filled bin and goes inwards; the
    /// bin after the window is skipped, as in OpenCV.
    fn best_radius(&self, radii: Radii) -> (f32, u32) {
        let (mut best_radius, mut best_count) = (0.0, 0);
        let mut top = self.bins.len() as isize - 1;
        while top > 0 {
            if self.bins[top as usize] == 0 {
                top -= 1;
                continue;
            }
            let end = (top - BINS_PER_PX as isize).max(-1);
            let count: u32 = self.bins[(end + 1) as usize..=top as usize].iter().sum();
            let radius = (top + end) as f32 / 2.0 / BINS_PER_PX as f32 + radii.min as f32;
            let is_denser = count as f32 * best_radius >= best_count as f32 * radius;
            if is_denser || (best_radius < f32::EPSILON && count >= best_count) {
                (best_radius, best_count) = (radius, count);
            }
            top = end - 1;
        }
        (best_radius, best_count)
    }
}

/// The edge pixels in the rows that a circle about a centre can reach.
fn near(edges: &Edges, centre: (f32, f32), radii: Radii) -> &[Pixel] {
    let rows = |reach: f32| (centre.1 + reach).max(0.0) as usize;
    edges.in_rows(rows(-(radii.max as f32)), rows(radii.max as f32 + 1.0))
}

impl Supported {
    pub(super) fn circle(&self) -> Circle {
        Circle { x: f64::from(self.centre.0), y: f64::from(self.centre.1), radius: f64::from(self.radius) }
    }

    /// Orders circles; the better one is greater. More edge pixels are better, then a larger radius, then a centre
    /// farther left, then one farther up.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let farther = |own: f32, other: f32| other.total_cmp(&own);
        (self.pixels.cmp(&other.pixels))
            .then(self.radius.total_cmp(&other.radius))
            .then(farther(self.centre.0, other.centre.0))
            .then(farther(self.centre.1, other.centre.1))
    }
}
