//! The code for any machine and the code for this machine give the same numbers.

use shared::geometry::Circle;

use super::fixtures::*;
use crate::pipeline::hough::machine::testing::plainly;
use crate::pipeline::testing::*;

/// Noise, blur, slopes, motion, clutter, borders, and frames without a disc.
fn frames() -> Vec<ndarray::Array2<u8>> {
    (0..120)
        .map(|seed| {
            let mut random = Random::new(seed);
            let truth = anywhere(&mut random);
            let canvas = match seed % 8 {
                0 => ground().disc(truth, DISC),
                1 => ground().disc(truth, DISC).blurred(1.3),
                2 => Canvas::new(160, 120, 70.0).ramp(0.2, -0.1).disc(truth, 210.0),
                3 => ground().moving_disc(truth, DISC, 7.0, 4.0),
                4 => Canvas::new(160, 120, 90.0).clutter(&mut random, 8).disc(truth, DISC),
                5 => ground().disc(Circle { x: 0.3 * truth.radius, ..truth }, DISC),
                6 => dimmed(ground().disc(truth, DISC).blurred(1.0)),
                _ => ground(),
            };
            canvas.shot([0.0, 3.0, 10.0][seed as usize % 3], &mut random)
        })
        .collect()
}

/// The frame seen through a lens that loses up to a third of the light to the right.
fn dimmed(mut canvas: Canvas) -> Canvas {
    canvas.0.indexed_iter_mut().for_each(|((_, x), level)| *level *= 1.0 - 0.002 * x as f64);
    canvas
}

#[test]
fn every_machine_gives_the_same_bits() {
    for (i, frame) in frames().iter().enumerate() {
        let own = detect(frame);
        let plain = plainly(|| detect(frame));
        let bits = |found: Option<crate::pipeline::Estimate>| {
            found.map(|found| {
                let (circle, own) = (found.circle, found.covariance.expect("hough gives a covariance"));
                [circle.x, circle.y, circle.radius, own.xx, own.xy, own.yy].map(f64::to_bits)
            })
        };
        assert_eq!(bits(own), bits(plain), "frame {i}: {own:?}, {plain:?}");
    }
}
