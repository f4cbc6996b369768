//! Compares the sums with a pixel-by-pixel computation, and the paths with each other.

use super::super::model::Profile;
use super::super::pass;
use super::*;
use crate::pipeline::hough::fit::pixels::band::Reach;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::ring::Ring;
use crate::pipeline::hough::sectors::MAX_SECTORS;

const SIZE: usize = 200;

/// A disc with scattered gray levels, gathered around a position near its centre.
fn annulus(sectors: usize) -> Annulus {
    let gray = |x: usize, y: usize| {
        let inside = (x as f32 - 99.0).hypot(y as f32 - 101.0) < 70.0;
        (if inside { 170 } else { 40 }) + (x * 41 + y * 17) % 31
    };
    let pixels: Vec<u8> = (0..SIZE * SIZE).map(|i| gray(i % SIZE, i / SIZE) as u8).collect();
    let mut annulus = Annulus::default();
    let ring = Ring { x: 99.4, y: 100.7, radius: 70.3 };
    annulus.gather(
        Frame { pixels: &pixels, width: SIZE, height: SIZE },
        ring,
        Reach { even: 14.0, way: (0.0, 0.0) },
        sectors,
    );
    annulus
}

fn model(profile: Profile) -> Model {
    Model {
        x: 0.1,
        y: -0.2,
        radius: 70.3,
        variance: 0.3,
        disc: 184.5,
        motion: (4.0, 2.0),
        slope: (0.01, 0.02),
        disc_slope: (0.03, 0.01),
        ground: std::array::from_fn(|k| 50.0 + k as f32 / 8.0),
        profile,
    }
}

const PROFILES: [Profile; 3] = [Profile::Gaussian, Profile::Pixel, Profile::Smear];

fn sums(path: impl Fn(&mut [SectorSums])) -> Vec<SectorSums> {
    let mut sums = vec![SectorSums::ZERO; MAX_SECTORS];
    path(&mut sums);
    sums
}

/// The sums as one list of numbers: products, pixels, weight, edge, side.
fn numbers(sums: &SectorSums) -> Vec<f64> {
    let rest = [sums.pixels, sums.weight, sums.edge, sums.side];
    sums.products.iter().copied().chain(rest).collect()
}

#[test]
fn every_path_gives_the_same_sums() {
    for (profile, per_sigma) in PROFILES.into_iter().flat_map(|profile| [(profile, 0.0), (profile, 0.1)]) {
        let (annulus, model) = (annulus(32), model(profile));
        let here = sums(|sums| pass::sum_annulus(&annulus, &model, per_sigma, sums));
        let anywhere = sums(|sums| sum_sectors(&annulus, &model, per_sigma, sums, fold));
        for (here, anywhere) in here.iter().zip(&anywhere) {
            assert_eq!(numbers(here), numbers(anywhere), "{profile:?}, {per_sigma}");
        }
    }
}

#[test]
fn sums_equal_those_of_the_weighted_columns() {
    for (profile, per_sigma) in PROFILES.into_iter().flat_map(|profile| [(profile, 0.0), (profile, 0.1)]) {
        let (annulus, model) = (annulus(16), model(profile));
        let found = sums(|sums| sum_sectors(&annulus, &model, per_sigma, sums, fold));
        let mut columns: Columns = [[0.0; BLOCK]; COLUMNS];
        for (k, found) in found.iter().enumerate().take(16) {
            let (mut products, mut weight) = ([[0.0; COLUMNS]; COLUMNS], 0.0);
            for pixel in annulus.span(k).take(annulus.count(k)) {
                model.fill(&mut columns, &annulus, model.ground[k], pixel, 1);
                let ratio = f64::from(columns[RESIDUAL][0] * per_sigma / TUKEY_SIGMAS);
                let root = (1.0 - ratio * ratio).max(0.0);
                weight += root * root;
                for (i, j) in (0..model.columns()).flat_map(|i| (i..model.columns()).map(move |j| (i, j))) {
                    products[i][j] += f64::from(columns[i][0]) * f64::from(columns[j][0]) * root * root;
                }
            }
            assert_eq!(found.pixels, annulus.count(k) as f64);
            assert!((found.weight - weight).abs() < 1e-4 * weight, "{} {weight}", found.weight);
            for (i, j) in (0..COLUMNS).flat_map(|i| (i..COLUMNS).map(move |j| (i, j))) {
                // Single precision, relative to the largest sum that the two columns could have.
                let most = (products[i][i] * products[j][j]).sqrt();
                let off = (found.at(i, j) - products[i][j]).abs();
                assert!(off <= 1e-5 * most, "{profile:?}, sector {k}, {i} and {j}: off by {off} of {most}");
            }
        }
    }
}

#[test]
fn pixels_far_off_the_model_have_no_weight() {
    let (annulus, model) = (annulus(16), model(Profile::Gaussian));
    let all = sums(|sums| sum_sectors(&annulus, &model, 0.0, sums, fold));
    // No residual here is as small as 6e-6 gray levels.
    let none = sums(|sums| sum_sectors(&annulus, &model, 1e6, sums, fold));
    for (all, none) in all.iter().zip(&none).take(16) {
        assert_eq!(none.weight, 0.0);
        assert_eq!(none.at(RESIDUAL, RESIDUAL), 0.0);
        assert_eq!(none.pixels, all.pixels);
        assert!((none.edge - all.edge).abs() < 1e-5 * all.edge, "what could be seen: {} {}", none.edge, all.edge);
    }
}

#[test]
fn folding_adds_the_lanes_of_each_vector() {
    let lanes = std::array::from_fn(|i| std::array::from_fn(|j| (10 * i + j) as f32));
    assert_eq!(fold(&lanes), std::array::from_fn(|i| (80 * i + 28) as f32));
}
