//! Sums of products of the model's derivatives over each sector: all the fit needs to know of the pixels.

use super::annulus::{Annulus, LANES};
use super::model::{
    BLOCK, CENTRE, COLUMNS, Columns, DISC, LEVEL, MOTION, Model, RADIUS, RESIDUAL, STILL_COLUMNS, Step, VARIANCE,
};

/// Residuals beyond this many sigmas have no say before clutter (Tukey's biweight).
pub(super) const TUKEY_SIGMAS: f32 = 6.0;

/// Variance of rounding to whole gray levels: no residual is known to be smaller.
pub(super) const ROUNDING_VARIANCE: f64 = 1.0 / 12.0;

/// Ground counts as seen when this many pixels' worth of it are: below, a level fitted to it would be chance.
const MIN_GROUND_PX: f64 = 1.0;

/// Products of all columns, filled up to whole vectors.
const SLOTS: usize = (COLUMNS * (COLUMNS + 1) / 2).next_multiple_of(LANES);

/// The same of a still disc's.
pub(super) const STILL_SLOTS: usize = (STILL_COLUMNS * (STILL_COLUMNS + 1) / 2).next_multiple_of(LANES);

/// Where the product of two columns is kept: those of the first columns first.
#[inline(always)]
pub(super) const fn slot(i: usize, j: usize) -> usize {
    let (low, high) = if i < j { (i, j) } else { (j, i) };
    high * (high + 1) / 2 + low
}

/// Sums over the pixels of one sector.
#[derive(Clone, Debug)]
pub(super) struct SectorSums {
    /// Products of the columns, in the places that [`slot`] says.
    pub(super) products: [f64; SLOTS],
    pub(super) pixels: f64,
    /// Sum of the pixels' weights.
    pub(super) weight: f64,
    /// Squared derivatives by the radius, and squared shares of the disc, unweighted: what could be seen.
    pub(super) edge: f64,
    pub(super) side: f64,
}

impl SectorSums {
    pub(super) const ZERO: Self = Self { products: [0.0; SLOTS], pixels: 0.0, weight: 0.0, edge: 0.0, side: 0.0 };

    /// A product of two columns.
    #[inline(always)]
    pub(super) fn at(&self, i: usize, j: usize) -> f64 {
        self.products[slot(i, j)]
    }

    /// A product of two columns once the sector's own ground level is fitted (the Schur complement).
    pub(super) fn alone(&self, i: usize, j: usize) -> f64 {
        let level = self.at(LEVEL, LEVEL);
        if level < MIN_GROUND_PX {
            return self.at(i, j);
        }
        self.at(i, j) - self.at(LEVEL, i) * self.at(LEVEL, j) / level
    }

    /// The products of the first `C` columns, upper half: with the residuals taken from a ground level so many gray
    /// levels `lower`, or, for `None`, once the sector's own level is fitted.
    #[inline(always)]
    pub(super) fn with<const C: usize>(&self, lower: Option<f64>) -> [[f64; C]; C] {
        let mut own: [[f64; C]; C] = std::array::from_fn(|i| std::array::from_fn(|j| self.at(i, j)));
        let level = own[LEVEL];
        if let Some(lower) = lower {
            own[RESIDUAL][RESIDUAL] += lower * (2.0 * level[RESIDUAL] + lower * level[LEVEL]);
            own[LEVEL][RESIDUAL] += lower * level[LEVEL];
            for i in RESIDUAL + 1..C {
                own[RESIDUAL][i] += lower * level[i];
            }
        } else {
            let per_level = if self.sees_ground() { 1.0 / level[LEVEL] } else { 0.0 };
            for i in 0..C {
                for j in i..C {
                    own[i][j] -= level[i] * level[j] * per_level;
                }
            }
        }
        own
    }

    /// The same for the columns of a still disc, by slot.
    #[inline(always)]
    pub(super) fn still_with(&self, lower: Option<f64>) -> [f64; STILL_SLOTS] {
        let own = self.with::<STILL_COLUMNS>(lower);
        let mut by_slot = [0.0; STILL_SLOTS];
        for j in 0..STILL_COLUMNS {
            for i in 0..=j {
                by_slot[slot(i, j)] = own[i][j];
            }
        }
        by_slot
    }

    /// The ground level's step when nothing else moves.
    pub(super) fn level_step(&self) -> f64 {
        let level = self.at(LEVEL, LEVEL);
        if level < MIN_GROUND_PX { 0.0 } else { self.at(LEVEL, RESIDUAL) / level }
    }

    /// The ground level's step once the shared parameters take theirs; `(nx, ny)` is the sector's direction.
    pub(super) fn level_step_after(&self, step: &Step, (nx, ny): (f64, f64), moving: bool) -> f64 {
        if !self.sees_ground() {
            return 0.0;
        }
        let by = |column: usize| self.at(LEVEL, column);
        let mut taken = by(RADIUS) * step.radius + by(VARIANCE) * step.variance + by(DISC) * step.disc;
        taken += if moving {
            let (x, y) = (step.x * by(CENTRE), step.y * by(CENTRE + 1));
            x + y + step.motion.0 * by(MOTION) + step.motion.1 * by(MOTION + 1)
        } else {
            (step.x * nx + step.y * ny) * by(RADIUS)
        };
        (by(RESIDUAL) - taken) / by(LEVEL)
    }

    /// Whether ground enough is seen to fit a level to it.
    pub(super) fn sees_ground(&self) -> bool {
        self.at(LEVEL, LEVEL) >= MIN_GROUND_PX
    }

    /// Pixels' worth of ground.
    pub(super) fn ground_px(&self) -> f64 {
        self.at(LEVEL, LEVEL)
    }

    /// How much further out the sector by itself would have the edge, in pixels.
    pub(super) fn shift(&self) -> f64 {
        self.alone(RADIUS, RESIDUAL) / self.information()
    }

    /// What the sector by itself knows of its edge: the inverse variance of `shift` at noise 1.
    pub(super) fn information(&self) -> f64 {
        self.alone(RADIUS, RADIUS).max(1e-9)
    }

    /// Variance of the residuals once ground and edge are where the sector would have them.
    pub(super) fn variance(&self) -> f64 {
        let left = self.alone(RESIDUAL, RESIDUAL) - self.alone(RADIUS, RESIDUAL).powi(2) / self.information();
        left.max(0.0) / (self.weight - 2.0).max(1.0)
    }

    /// Part of the pixels, of what the edge could say, and of the disc's side that fits.
    pub(super) fn fitting(&self) -> [f64; 3] {
        [
            self.weight / self.pixels.max(1.0),
            self.at(RADIUS, RADIUS) / self.edge.max(1e-9),
            self.at(DISC, DISC) / self.side.max(1e-9),
        ]
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.products.iter_mut().zip(&other.products).for_each(|(sum, value)| *sum += value);
        self.pixels += other.pixels;
        self.weight += other.weight;
        self.edge += other.edge;
        self.side += other.side;
    }
}

/// Sums up every sector. `per_sigma`, in 1 / gray levels, scales the weights of the residuals; 0 weighs all alike.
///
/// `fold` sums the lanes of eight vectors, each for itself.
#[inline(always)]
pub(super) fn sum_sectors(
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

/// A vector.
pub(super) type Lanes = [f32; LANES];

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

/// The columns whose product is kept in a slot.
#[inline(always)]
const fn pair(slot: usize) -> (usize, usize) {
    let mut high = 0;
    while (high + 1) * (high + 2) / 2 <= slot {
        high += 1;
    }
    (slot - high * (high + 1) / 2, high)
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
pub(super) fn fold(lanes: &[Lanes; LANES]) -> Lanes {
    lanes.map(|[a, b, c, d, e, f, g, h]| ((a + b) + (c + d)) + ((e + f) + (g + h)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::hough::{
        annulus::{MAX_SECTORS, Reach},
        circle::Ring,
        frame::Frame,
        model::Profile,
        simd,
    };

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
            let here = sums(|sums| simd::sum_annulus(&annulus, &model, per_sigma, sums));
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
