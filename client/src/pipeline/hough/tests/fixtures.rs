//! Discs of known truth, and the error with which they are found.

use ndarray::Array2;
use shared::geometry::Circle;

use crate::pipeline::{Detector, Estimate, RadiusLimits, testing::*};

pub(super) const DISC: f64 = 180.0;
pub(super) const GROUND: f64 = 40.0;

pub(super) fn detector() -> Box<dyn Detector> {
    by_name("hough", RadiusLimits::default()).expect("default limits are valid")
}

pub(super) fn detect(frame: &Array2<u8>) -> Option<Estimate> {
    detector().detect(frame.view())
}

pub(super) fn l1(found: &Estimate, truth: Circle) -> f64 {
    (found.circle.x - truth.x).abs() + (found.circle.y - truth.y).abs()
}

/// A disc of radius 10 to 26 px, wholly inside a 160x120 frame.
pub(super) fn anywhere(random: &mut Random) -> Circle {
    let radius = random.uniform(10.0, 26.0);
    let x = random.uniform(radius + 2.0, 158.0 - radius);
    Circle { x, y: random.uniform(radius + 2.0, 118.0 - radius), radius }
}

pub(super) fn ground() -> Canvas {
    Canvas::new(160, 120, GROUND)
}

/// Mean L1 error in px over `n` seeded frames. The disc must be found in every frame.
pub(super) fn mean_l1(n: u64, mut draw: impl FnMut(&mut Random) -> (Circle, Array2<u8>)) -> f64 {
    let mut detector = detector();
    let error = |seed| {
        let (truth, frame) = draw(&mut Random::new(seed));
        let found = detector.detect(frame.view());
        l1(&found.unwrap_or_else(|| panic!("missed {truth:?}, seed {seed}")), truth)
    };
    (0..n).map(error).sum::<f64>() / n as f64
}
