//! Compares the columns with difference quotients of the model.

use super::*;
use crate::pipeline::hough::fit::pixels::band::Reach;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::ring::Ring;
use crate::pipeline::hough::sectors::MAX_SECTORS;

const SIZE: usize = 96;
const GROUND: f32 = 52.0;

fn annulus() -> Annulus {
    let pixels: Vec<u8> = (0..SIZE * SIZE).map(|i| (i * 37 % 256) as u8).collect();
    let mut annulus = Annulus::default();
    let ring = Ring { x: 47.3, y: 46.8, radius: 21.0 };
    annulus.gather(
        Frame { pixels: &pixels, width: SIZE, height: SIZE },
        ring,
        Reach { even: 12.0, way: (0.0, 0.0) },
        32,
    );
    annulus
}

fn model(profile: Profile, variance: f64) -> Model {
    let motion = if profile == Profile::Smear { (5.0, -3.0) } else { (0.0, 0.0) };
    Model {
        x: 0.31,
        y: -0.23,
        radius: 20.7,
        variance,
        disc: 177.0,
        motion,
        slope: (0.3, -0.2),
        disc_slope: (-0.1, 0.2),
        ground: [GROUND; MAX_SECTORS],
        profile,
    }
}

/// All columns of all pixels.
fn columns(model: &Model, annulus: &Annulus, level: f32) -> [Vec<f64>; COLUMNS] {
    let mut all: [Vec<f64>; COLUMNS] = Default::default();
    let mut columns: Columns = [[0.0; BLOCK]; COLUMNS];
    for span in (0..annulus.sectors).map(|k| annulus.span(k)) {
        for from in span.clone().step_by(BLOCK) {
            let n = BLOCK.min(span.end - from);
            model.fill(&mut columns, annulus, level, from, n);
            for (all, column) in all.iter_mut().zip(&columns) {
                all.extend(column[..n].iter().map(|&value| f64::from(value)));
            }
        }
    }
    all
}

/// Derivative of the modelled intensities. These are the negative residuals, up to a constant.
fn numeric(model: &Model, annulus: &Annulus, change: impl Fn(&mut Model, &mut f32, f64)) -> Vec<f64> {
    let step = 0.004;
    let at = |by: f64| {
        let (mut changed, mut level) = (model.clone(), GROUND);
        change(&mut changed, &mut level, by);
        let [_, residuals, ..] = columns(&changed, annulus, level);
        residuals
    };
    at(-step).iter().zip(at(step)).map(|(before, after)| (before - after) / (2.0 * step)).collect()
}

/// Root mean square difference, as a fraction of the second argument.
fn off(found: &[f64], expected: &[f64]) -> f64 {
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let differences = squares(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    (differences / squares(&mut expected.iter().copied())).sqrt()
}

type Change = fn(&mut Model, &mut f32, f64);

const COMMON: [(usize, Change); 4] = [
    (LEVEL, |_, level, by| *level += by as f32),
    (DISC, |model, _, by| model.disc += by),
    (VARIANCE, |model, _, by| model.variance += by),
    (RADIUS, |model, _, by| model.radius += by),
];

#[test]
fn the_columns_of_a_still_disc_are_derivatives() {
    let annulus = annulus();
    for (profile, variance) in [(Profile::Gaussian, 0.3), (Profile::Gaussian, 4.0), (Profile::Pixel, 0.09)] {
        let model = model(profile, variance);
        let columns = columns(&model, &annulus, GROUND);
        for (column, change) in COMMON {
            let off = off(&columns[column], &numeric(&model, &annulus, change));
            // Single precision over a step of 0.004, and kinks in the pixel's slope.
            assert!(off < 0.01, "column {column} of {profile:?}, {variance} px²: off by {off}");
        }
    }
}

#[test]
fn a_still_disc_moves_by_its_radius_column_times_the_direction() {
    let annulus = annulus();
    let model = model(Profile::Gaussian, 0.3);
    let radii = &columns(&model, &annulus, GROUND)[RADIUS];
    let towards = |i: usize| {
        let (dx, dy) = (f64::from(annulus.dx[i]) - model.x, f64::from(annulus.dy[i]) - model.y);
        (dx / dx.hypot(dy), dy / dx.hypot(dy))
    };
    let by_x: Vec<_> = radii.iter().enumerate().map(|(i, radius)| radius * towards(i).0).collect();
    let by_y: Vec<_> = radii.iter().enumerate().map(|(i, radius)| radius * towards(i).1).collect();
    assert!(off(&by_x, &numeric(&model, &annulus, |model, _, by| model.x += by)) < 0.01);
    assert!(off(&by_y, &numeric(&model, &annulus, |model, _, by| model.y += by)) < 0.01);
}

#[test]
fn the_columns_of_a_smeared_disc_are_derivatives() {
    let annulus = annulus();
    // The columns ignore that the box's width changes with the edge's direction.
    let columns_of: [(usize, f64, Change); 4] = [
        (CENTRE, 0.005, |model, _, by| model.x += by),
        (CENTRE + 1, 0.005, |model, _, by| model.y += by),
        (MOTION, 0.02, |model, _, by| model.motion.0 += by),
        (MOTION + 1, 0.02, |model, _, by| model.motion.1 += by),
    ];
    for variance in [0.3, 2.0] {
        let model = model(Profile::Smear, variance);
        let columns = columns(&model, &annulus, GROUND);
        let common = COMMON.map(|(column, change)| (column, 0.01, change));
        for (column, most, change) in common.into_iter().chain(columns_of) {
            let off = off(&columns[column], &numeric(&model, &annulus, change));
            assert!(off < most, "column {column}, {variance} px²: off by {off}");
        }
    }
}

#[test]
fn a_short_smear_is_a_blur() {
    let annulus = annulus();
    let mut smeared = model(Profile::Smear, 1.0);
    smeared.motion = (0.2, 0.1);
    let mut still = model(Profile::Gaussian, 1.0);
    still.motion = (0.0, 0.0);
    let (smeared, still) = (columns(&smeared, &annulus, GROUND), columns(&still, &annulus, GROUND));
    for column in [LEVEL, RESIDUAL, DISC, RADIUS] {
        // A motion over L adds L²/12 to a variance of 1 px².
        assert!(off(&smeared[column], &still[column]) < 0.01, "column {column}");
    }
}

#[test]
fn fillers_have_no_influence() {
    let annulus = annulus();
    for profile in [Profile::Gaussian, Profile::Pixel, Profile::Smear] {
        let columns = columns(&model(profile, 0.3), &annulus, GROUND);
        for (i, _) in annulus.weight.iter().enumerate().filter(|(_, weight)| **weight == 0.0) {
            let used = if profile == Profile::Smear { COLUMNS } else { STILL_COLUMNS };
            assert!(columns[..used].iter().all(|column| column[i] == 0.0), "{profile:?}, pixel {i}");
        }
    }
}
