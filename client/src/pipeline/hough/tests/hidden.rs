//! Discs that are partly hidden, or in front of uneven ground.

use shared::geometry::Circle;

use super::fixtures::*;
use crate::pipeline::testing::*;

/// Ground with two levels that meet behind the disc.
fn split(truth: Circle, random: &mut Random) -> Canvas {
    let angle = random.uniform(0.0, std::f64::consts::TAU);
    let (x, y) = (truth.x + 60.0 * angle.cos(), truth.y + 60.0 * angle.sin());
    ground().rectangle((x, y), (60.0, 200.0), angle, 100.0)
}

#[test]
fn discs_touching_the_border_are_found_as_well_as_others() {
    let mean = mean_l1(60, |random| {
        let mut truth = anywhere(random);
        truth.x = truth.radius - 0.5;
        (truth, ground().disc(truth, DISC).shot(0.0, random))
    });
    // Twice the limit of discs away from the border, because some ground is missing.
    assert!(mean < 0.002, "mean L1 {mean} px");
}

#[test]
fn discs_cut_by_the_border_are_found() {
    let mean = mean_l1(60, |random| {
        let mut truth = anywhere(random);
        truth.y = 119.0 - random.uniform(0.0, 1.0) * truth.radius;
        (truth, ground().disc(truth, DISC).shot(5.0, random))
    });
    // Half a disc has a few times the error of a whole one, 0.0084 px.
    assert!(mean < 0.03, "mean L1 {mean} px");
}

#[test]
fn discs_occluded_to_a_quarter_are_found() {
    let mean = mean_l1(60, |random| {
        let truth = anywhere(random);
        let edge = truth.x + 0.75 * truth.radius;
        let covered = ground().disc(truth, DISC).rectangle((edge + 60.0, truth.y), (60.0, 60.0), 0.0, 110.0);
        (truth, covered.shot(5.0, random))
    });
    // Three times the limit of a whole disc.
    assert!(mean < 0.03, "mean L1 {mean} px");
}

/// Fraction of the disc's outline that differs from the picture behind it by three sigmas of `noise` plus three gray
/// levels.
fn visible(truth: Circle, behind: &Canvas, noise: f64) -> f64 {
    let differs = |i: u32| {
        let angle = f64::from(i) / 180.0 * std::f64::consts::TAU;
        let (x, y) = (truth.x + (truth.radius + 2.0) * angle.cos(), truth.y + (truth.radius + 2.0) * angle.sin());
        let behind = behind.0.get([y.round() as usize, x.round() as usize]);
        behind.is_some_and(|gray| (gray - DISC).abs() > 3.0 + 3.0 * noise)
    };
    (0..180).filter(|&i| differs(i)).count() as f64 / 180.0
}

#[test]
fn discs_in_front_of_clutter_are_found() {
    let mut detector = detector();
    let (mut sum, mut n) = (0.0, 0);
    for seed in 0..80 {
        let mut random = Random::new(seed);
        let truth = anywhere(&mut random);
        let behind = Canvas::new(160, 120, 90.0).clutter(&mut random, 12);
        if visible(truth, &behind, 5.0) < 0.7 {
            continue;
        }
        let found = detector.detect(behind.disc(truth, DISC).shot(5.0, &mut random).view());
        let error = found.map_or(f64::INFINITY, |found| l1(&found, truth));
        assert!(error < 0.5, "seed {seed}: {truth:?} found as {found:?}");
        (sum, n) = (sum + error, n + 1);
    }
    // Twice the limit of a whole disc, 0.0084 px, because clutter hides part of the outline.
    assert!(n > 50 && sum / f64::from(n) < 0.02, "mean L1 {} px of {n}", sum / f64::from(n));
}

#[test]
fn discs_occluded_to_a_third_of_their_area_are_found() {
    let mean = mean_l1(60, |random| {
        let truth = anywhere(random);
        let angle = random.uniform(0.0, std::f64::consts::TAU);
        // A chord 0.265 radii from the centre cuts off a third of the area.
        let away = 0.265 * truth.radius + 60.0;
        let centre = (truth.x + away * angle.cos(), truth.y + away * angle.sin());
        let gray = random.uniform(10.0, 150.0);
        (truth, ground().disc(truth, DISC).rectangle(centre, (60.0, 60.0), angle, gray).shot(5.0, random))
    });
    // Four times the limit of a whole disc, because only a little over half the outline is left, all on one side.
    assert!(mean < 0.034, "mean L1 {mean} px");
}

#[test]
fn discs_in_front_of_an_edge_in_the_ground_are_found() {
    let mean = mean_l1(60, |random| {
        let truth = anywhere(random);
        (truth, split(truth, random).disc(truth, DISC).shot(3.0, random))
    });
    // Ground of several levels leaves less to see. A missed disc would panic.
    assert!(mean < 0.05, "mean L1 {mean} px");
}
