//! Frames without a disc, or without one that the detector looks for.

use ndarray::Array2;
use shared::geometry::Circle;

use super::fixtures::*;
use crate::pipeline::RadiusLimits;
use crate::pipeline::testing::*;

#[test]
fn constant_frames_are_empty() {
    for gray in [0, 1, 128, 255] {
        assert_eq!(detect(&Array2::from_elem((120, 160), gray)), None, "gray {gray}");
    }
}

#[test]
fn noise_and_ramps_are_empty() {
    let mut detector = detector();
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let (sigma, x, y) = (random.uniform(0.0, 40.0), random.uniform(-0.5, 0.5), random.uniform(-0.5, 0.5));
        let slope = if seed % 2 == 0 { 0.0 } else { 1.0 };
        let frame = Canvas::new(160, 120, 128.0).ramp(slope * x, slope * y).shot(sigma, &mut random);
        assert_eq!(detector.detect(frame.view()), None, "seed {seed}, sigma {sigma}");
    }
}

#[test]
fn clutter_without_a_circle_is_empty() {
    let mut detector = detector();
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let frame = Canvas::new(320, 240, 90.0).clutter(&mut random, 12).shot(5.0, &mut random);
        assert_eq!(detector.detect(frame.view()), None, "seed {seed}");
    }
}

#[test]
fn large_rectangles_are_not_discs() {
    let mut detector = detector();
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let half = (random.uniform(15.0, 50.0), random.uniform(15.0, 50.0));
        let angle = random.uniform(0.0, 3.0);
        let frame = ground().rectangle((80.0, 60.0), half, angle, DISC).shot(3.0, &mut random);
        assert_eq!(detector.detect(frame.view()), None, "half sides {half:?} px, angle {angle}");
    }
}

#[test]
fn radii_outside_the_limits_are_not_reported() {
    let truth = Circle { x: 70.3, y: 61.8, radius: 20.0 };
    let frame = ground().disc(truth, DISC).shot(0.0, &mut Random::new(1));
    let limits = RadiusLimits { min: Some(8.0), max: Some(15.0) };
    assert_eq!(by_name("hough", limits).expect("valid").detect(frame.view()), None);
}

#[test]
fn frames_longer_than_the_walks_can_count_are_empty() {
    let limits = RadiusLimits { min: Some(1.0), max: None };
    let stripes = Array2::from_shape_fn((40_000, 4), |(row, _)| if row / 8 % 2 == 0 { 40 } else { 180 });
    for frame in [stripes.view(), stripes.t()] {
        assert_eq!(by_name("hough", limits).expect("valid").detect(frame), None);
    }
}
