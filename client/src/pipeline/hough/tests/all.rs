//! All discs of a frame: each once, and nothing between them or inside them.

use ndarray::{Array2, ArrayView2, s};
use shared::geometry::Circle;

use super::fixtures::*;
use crate::pipeline::hough::Hough;
use crate::pipeline::hough::machine::testing::plainly;
use crate::pipeline::testing::*;
use crate::pipeline::{Detector, DetectorOfAll, Estimate, RadiusLimits};

fn all(frame: ArrayView2<'_, u8>) -> Vec<Estimate> {
    let mut found = Vec::new();
    Hough::new(RadiusLimits::default()).detect_all(frame, &mut found);
    found
}

fn circles(frame: &Array2<u8>) -> Vec<Circle> {
    all(frame.view()).iter().map(|found| found.circle).collect()
}

/// Discs of one radius at these places of a 640x480 frame.
fn discs(places: &[(f64, f64)], radius: f64) -> Canvas {
    let ground = Canvas::new(640, 480, GROUND);
    places.iter().fold(ground, |canvas, &(x, y)| canvas.disc(Circle { x, y, radius }, DISC))
}

#[test]
fn a_search_for_all_measures_a_single_disc_to_the_bit_as_a_search_for_one() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let truth = anywhere(&mut random);
        let frame = ground().disc(truth, DISC).shot(5.0, &mut random);
        assert_eq!(all(frame.view()), [detect(&frame).expect("a disc")], "seed {seed}");
    }
}

#[test]
fn a_search_for_all_does_not_change_a_later_search_for_one() {
    let mut random = Random::new(5);
    let frame = discs(&[(100.0, 100.0), (200.3, 320.0), (400.0, 240.7)], 30.0).shot(5.0, &mut random);
    let mut hough = Hough::new(RadiusLimits::default());
    let before = hough.detect(frame.view());
    hough.detect_all(frame.view(), &mut Vec::new());
    assert_eq!(hough.detect(frame.view()), before);
    assert!(before.is_some_and(|found| all(frame.view()).contains(&found)));
}

#[test]
fn gaps_between_discs_are_not_discs() {
    let radius = 40.0;
    // Four touching discs around a gap of 0.41 radii, and three around one of 0.15 radii.
    let square = [(150.0, 150.0), (230.0, 150.0), (150.0, 230.0), (230.0, 230.0)];
    let triangle = [(420.0, 150.0), (500.0, 150.0), (460.0, 150.0 + 40.0 * 3f64.sqrt())];
    // A disc of ground, as large as the others, between six discs.
    let around = |k: usize| f64::from(k as u32) * std::f64::consts::TAU / 6.0;
    let six: Vec<_> = (0..6).map(|k| (320.0 + 80.0 * around(k).cos(), 240.0 + 80.0 * around(k).sin())).collect();
    for places in [&square[..], &triangle, &six] {
        for seed in 0..5 {
            let found = circles(&discs(places, radius).shot(5.0, &mut Random::new(seed)));
            assert_eq!(found.len(), places.len(), "{found:?}");
        }
    }
}

#[test]
fn a_ring_is_one_disc() {
    for hole in [0.4, 0.6, 0.8] {
        let places = [(150.0, 150.0), (300.0, 200.0), (450.0, 320.0)];
        let ring = |canvas: Canvas, &(x, y): &(f64, f64)| canvas.disc(Circle { x, y, radius: hole * 40.0 }, GROUND);
        let canvas = places.iter().fold(discs(&places, 40.0), ring);
        let found = circles(&canvas.shot(5.0, &mut Random::new(1)));
        assert_eq!(found.len(), places.len(), "hole of {hole}: {found:?}");
    }
}

#[test]
fn discs_are_found_in_clutter_and_shapes_are_not() {
    let mut hough = Hough::new(RadiusLimits::default());
    let (mut found, mut seen) = (Vec::new(), 0);
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let truth = [Circle { x: 80.0, y: 120.0, radius: 22.0 }, Circle { x: 230.0, y: 110.0, radius: 26.0 }];
        let clutter = Canvas::new(320, 240, 90.0).clutter(&mut random, 12);
        let frame = truth.iter().fold(clutter, |canvas, disc| canvas.disc(*disc, DISC)).shot(5.0, &mut random);
        hough.detect_all(frame.view(), &mut found);
        assert!(found.iter().all(|found| truth.iter().any(|truth| l1(found, *truth) < 0.5)), "seed {seed}: {found:?}");
        seen += found.len();
    }
    // A shape as bright as the disc may hide its rim.
    assert!(seen >= 76, "{seen} of 80 discs");
}

#[test]
fn every_machine_and_memory_layout_gives_the_same_bits() {
    let scatter = Scatter { size: (320, 240), radii: 10.0..=30.0, overlap: 0.1, margin: 1.0 };
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let discs = scatter.draw(4, &mut random);
        let canvas = discs.iter().fold(Canvas::new(320, 240, GROUND), |canvas, disc| canvas.disc(*disc, DISC));
        let frame = canvas.shot(5.0, &mut random);
        let expected = all(frame.view());
        assert_eq!(plainly(|| all(frame.view())), expected, "seed {seed}");
        let mut wide = Array2::zeros((480, 640));
        wide.slice_mut(s![..;2, ..;2]).assign(&frame);
        assert_eq!(all(wide.slice(s![..;2, ..;2])), expected, "seed {seed}");
    }
}
