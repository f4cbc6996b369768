//! Discs and frames of every size, and what the detector reports besides the centre.

use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;
use shared::geometry::Circle;

use super::fixtures::*;
use crate::pipeline::RadiusLimits;
use crate::pipeline::testing::*;

#[test]
fn the_covariance_agrees_with_the_errors() {
    let mut detector = detector();
    let n = 200;
    let sum: f64 = (0..n)
        .map(|seed| {
            let mut random = Random::new(seed);
            let truth = anywhere(&mut random);
            let found = detector.detect(ground().disc(truth, DISC).shot(10.0, &mut random).view()).expect("a disc");
            let c = found.covariance.expect("a fit knows its covariance");
            let (dx, dy) = (found.circle.x - truth.x, found.circle.y - truth.y);
            (c.yy * dx * dx - 2.0 * c.xy * dx * dy + c.xx * dy * dy) / (c.xx * c.yy - c.xy * c.xy)
        })
        .sum();
    // A χ² with two degrees of freedom for each: after halving, mean 1 and sigma 1/sqrt(200) = 0.07. Four sigmas are
    // allowed.
    let normalised = sum / (2 * n) as f64;
    assert!((0.72..1.28).contains(&normalised), "normalised squared error {normalised}");
}

#[test]
fn radii_are_right_too() {
    let truth = Circle { x: 70.3, y: 61.8, radius: 20.0 };
    let found = detect(&ground().disc(truth, DISC).shot(0.0, &mut Random::new(1))).expect("a disc");
    // Rounding allows 0.0005 px. The curvature correction is accurate to a few thousandths.
    assert!((found.circle.radius - truth.radius).abs() < 0.005, "radius {} px", found.circle.radius);
}

#[test]
fn small_discs_are_found_when_asked_for() {
    let limits = RadiusLimits { min: Some(4.0), max: Some(8.0) };
    let truth = Circle { x: 40.3, y: 30.8, radius: 5.0 };
    let frame = Canvas::new(80, 60, GROUND).disc(truth, DISC).shot(2.0, &mut Random::new(1));
    let found = by_name("hough", limits).expect("valid").detect(frame.view()).expect("a disc");
    // Five sigmas of the limit at this radius.
    assert!(l1(&found, truth) < 0.03, "{found:?}");
}

#[test]
fn integer_drawn_discs_are_found() {
    let frame = Array2::from_shape_fn((120, 160), |(y, x)| {
        let (dx, dy) = (x as i32 - 70, y as i32 - 50);
        if dx * dx + dy * dy <= 400 { 180 } else { 40 }
    });
    let found = detect(&frame).expect("a disc");
    assert!(l1(&found, Circle { x: 70.0, y: 50.0, radius: 20.0 }) < 0.01, "{found:?}");
}

#[test]
fn extreme_shapes_and_limits_never_panic() {
    let wild = RadiusLimits { min: Some(0.5), max: Some(1e6) };
    for limits in [RadiusLimits::default(), wild, RadiusLimits { min: Some(30.0), max: Some(1e300) }] {
        let mut detector = by_name("hough", limits).expect("valid");
        for (rows, columns) in [(0, 0), (0, 9), (9, 0), (1, 1), (1, 50), (50, 1), (2, 2), (3, 3), (33, 65), (7, 400)] {
            let mut random = Random::new(7);
            for sigma in [0.0, 30.0, 300.0] {
                let frame = Canvas::new(columns, rows, 128.0).shot(sigma, &mut random);
                detector.detect(frame.view());
            }
        }
    }
}

#[test]
fn frames_of_many_sizes_share_a_detector() {
    let mut detector = detector();
    for (width, height) in [(64, 48), (161, 123), (97, 201), (64, 48)] {
        let truth = Circle { x: f64::from(width) / 2.0 + 0.3, y: f64::from(height) / 2.0 - 0.4, radius: 11.0 };
        let frame = Canvas::new(width as usize, height as usize, GROUND).disc(truth, DISC);
        let found = detector.detect(frame.shot(0.0, &mut Random::new(1)).view()).expect("a disc");
        assert!(l1(&found, truth) < 0.005, "{width}x{height}: {found:?}");
    }
}

#[test]
fn frames_of_8192_pixels_a_side_are_searched() {
    let truth = Circle { x: 7000.3, y: 5000.6, radius: 300.0 };
    let frame = Canvas::new(8192, 8192, GROUND).disc(truth, DISC).shot(0.0, &mut Random::new(1));
    let found = detect(&frame).expect("a disc");
    assert!(l1(&found, truth) < 0.005, "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_small_frame_causes_a_panic(
        rows in 0usize..48, columns in 0usize..48, pixels in prop::collection::vec(any::<u8>(), 48 * 48),
        min in 0.1f64..40.0, more in 0.0f64..60.0,
    ) {
        let limits = RadiusLimits { min: Some(min), max: Some(min + more) };
        let mut detector = by_name("hough", limits).expect("valid");
        let frame = ArrayView2::from_shape((rows, columns), &pixels[..rows * columns]).expect("enough pixels");
        if let Some(found) = detector.detect(frame) {
            prop_assert!(found.circle.x.is_finite() && found.circle.y.is_finite() && found.circle.radius > 0.0);
        }
    }
}
