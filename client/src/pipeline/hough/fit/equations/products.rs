//! The products of the columns, summed over each sector's pixels: the one pass that an iteration takes.

use super::columns::{BLOCK, COLUMNS, Columns, DISC, RADIUS, RESIDUAL, STILL_COLUMNS};
use super::model::Model;
use super::sums::{SectorSums, pair};
use crate::pipeline::hough::fit::pixels::annulus::{Annulus, LANES};

/// Residuals beyond this many sigmas have no say before clutter (Tukey's biweight).
pub(crate) const TUKEY_SIGMAS: f32 = 6.0;

/// A vector.
pub(crate) type Lanes = [f32; LANES];

/// Sums up every sector. `per_sigma`, in 1 / gray levels, scales the weights of the residuals; 0 weighs all alike.
///
/// `fold` sums the lanes of eight vectors, each for itself.
#[inline(always)]
pub(crate) fn sum_sectors(
    annulus: &Annulus,
    model: &Model,
    per_sigma: f32,
    sums: &mut [SectorSums],
    fold: impl Fn(&[Lanes; LANES]) -> Lanes + Copy,
) {
    match model.columns() {
        STILL_COLUMNS => sum_columns::<STILL_COLUMNS, 2>(annulus, model, per_sigma, sums, fold),
        _ => sum_columns::<COLUMNS, 6>(annulus, model, per_sigma, sums, fold),
    }
}

/// The same for `C` columns, whose products fill `V` times eight vectors.
#[inline(always)]
fn sum_columns<const C: usize, const V: usize>(
    annulus: &Annulus,
    model: &Model,
    per_sigma: f32,
    sums: &mut [SectorSums],
    fold: impl Fn(&[Lanes; LANES]) -> Lanes + Copy,
) {
    let mut columns: Columns = [[0.0; BLOCK]; COLUMNS];
    for (k, sums) in sums.iter_mut().enumerate().take(annulus.sectors) {
        sums.products[..V * LANES].fill(0.0);
        (sums.weight, sums.edge, sums.side) = (0.0, 0.0, 0.0);
        sums.pixels = annulus.count(k) as f64;
        let span = annulus.span(k);
        for from in span.clone().step_by(BLOCK) {
            let n = BLOCK.min(span.end - from);
            model.fill(&mut columns, annulus, model.ground[k], from, n);
            if per_sigma > 0.0 {
                let extra = [dot(&columns[RADIUS], &columns[RADIUS], n), dot(&columns[DISC], &columns[DISC], n)];
                let real = &annulus.weight[from..from + n];
                let roots = weigh::<C>(&mut columns, n, per_sigma / TUKEY_SIGMAS, real);
                let mut lanes = [[0.0; LANES]; LANES];
                (lanes[0], lanes[1], lanes[2]) = (extra[0], extra[1], roots);
                let [edge, side, weight, ..] = fold(&lanes);
                sums.edge += f64::from(edge);
                sums.side += f64::from(side);
                sums.weight += f64::from(weight);
            }
            let mut add = |eight: usize, lanes: [Lanes; LANES]| {
                let products = sums.products[eight * LANES..(eight + 1) * LANES].iter_mut();
                products.zip(fold(&lanes)).for_each(|(product, part)| *product += f64::from(part));
            };
            add(0, dots::<C, 0>(&columns, n));
            add(1, dots::<C, 1>(&columns, n));
            if V > 2 {
                add(2, dots::<C, 2>(&columns, n));
                add(3, dots::<C, 3>(&columns, n));
                add(4, dots::<C, 4>(&columns, n));
                add(5, dots::<C, 5>(&columns, n));
            }
        }
        if per_sigma <= 0.0 {
            sums.weight = sums.pixels;
            (sums.edge, sums.side) = (sums.at(RADIUS, RADIUS), sums.at(DISC, DISC));
        }
    }
}

/// Multiplies the columns with the square roots of the pixels' weights; returns the weights' sums.
#[inline(always)]
fn weigh<const C: usize>(columns: &mut Columns, n: usize, scale: f32, real: &[f32]) -> Lanes {
    let n = n.min(BLOCK);
    let mut roots = [0.0; BLOCK];
    for ((root, residual), real) in roots[..n].iter_mut().zip(&columns[RESIDUAL][..n]).zip(&real[..n]) {
        let ratio = residual * scale;
        *root = (1.0 - ratio * ratio).max(0.0) * real;
    }
    for column in &mut columns[..C] {
        column[..n].iter_mut().zip(&roots[..n]).for_each(|(value, root)| *value *= root);
    }
    dot(&roots, &roots, n)
}

/// The dot products of slots `8 E..8 E + 8` of the first `n` elements of `C` columns, whole vectors, their lanes left
/// apart.
#[inline(always)]
fn dots<const C: usize, const E: usize>(columns: &Columns, n: usize) -> [Lanes; LANES] {
    let pairs: [(usize, usize); LANES] = const {
        let mut pairs = [(0, 0); LANES];
        let mut k = 0;
        while k < LANES {
            pairs[k] = pair(E * LANES + k);
            k += 1;
        }
        pairs
    };
    let n = n.min(BLOCK);
    let mut lanes = [[0.0f32; LANES]; LANES];
    for at in (0..n).step_by(LANES) {
        for k in 0..LANES {
            let (i, j) = pairs[k];
            if j < C {
                let (a, b) = (&columns[i][at..at + LANES], &columns[j][at..at + LANES]);
                for l in 0..LANES {
                    lanes[k][l] += a[l] * b[l];
                }
            }
        }
    }
    lanes
}

/// Dot product of the first `n` elements, whole vectors, its lanes left apart.
#[inline(always)]
fn dot(a: &[f32; BLOCK], b: &[f32; BLOCK], n: usize) -> Lanes {
    let n = n.min(BLOCK);
    let (a, _) = a[..n].as_chunks::<LANES>();
    let (b, _) = b[..n].as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes
}

/// Sums the lanes of eight vectors, in the order in which vector machines add neighbours.
pub(crate) fn fold(lanes: &[Lanes; LANES]) -> Lanes {
    lanes.map(|[a, b, c, d, e, f, g, h]| ((a + b) + (c + d)) + ((e + f) + (g + h)))
}

#[cfg(test)]
mod tests {
    use super::super::model::Profile;
    use super::super::pass;
    use super::*;
    use crate::pipeline::hough::fit::pixels::annulus::Reach;
    use crate::pipeline::hough::frame::Frame;
    use crate::pipeline::hough::ring::Ring;
    use crate::pipeline::hough::sectors::MAX_SECTORS;

    const SIZE: usize = 200;

    /// A disc with gray levels that scatter, gathered around a place beside its centre.
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

    /// The same number by number: products, pixels, weight, edge, side.
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
    fn sums_are_those_of_the_weighted_columns() {
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
                    // Single precision, next to what the two columns could add up to.
                    let most = (products[i][i] * products[j][j]).sqrt();
                    let off = (found.at(i, j) - products[i][j]).abs();
                    assert!(off <= 1e-5 * most, "{profile:?}, sector {k}, {i} and {j}: off by {off} of {most}");
                }
            }
        }
    }

    #[test]
    fn pixels_far_off_the_model_have_no_say() {
        let (annulus, model) = (annulus(16), model(Profile::Gaussian));
        let all = sums(|sums| sum_sectors(&annulus, &model, 0.0, sums, fold));
        // No residual here is 6e-6 gray levels.
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
}
