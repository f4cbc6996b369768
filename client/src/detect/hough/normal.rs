//! Normal equations: sums of products of columns, elimination of a sector's ground level, and their solution.

use super::model::{BLOCK, COLUMNS, Columns};

/// Column of the sector's ground level.
pub(super) const LEVEL: usize = 0;
/// Column of the residual.
pub(super) const RESIDUAL: usize = 1;
/// First column of the shared parameters.
pub(super) const FIRST_SHARED: usize = 2;

/// Ground counts as seen when this many pixels' worth of it are: below, a level fitted to it would be chance.
pub(super) const MIN_GROUND_PX: f64 = 2.0;

/// Sums of products of all pairs of columns, symmetric; only `[i][j]` with `i <= j` is kept.
#[derive(Clone, Debug)]
pub(super) struct Gram(pub(super) [[f64; COLUMNS]; COLUMNS]);

impl Gram {
    pub(super) const ZERO: Self = Self([[0.0; COLUMNS]; COLUMNS]);

    /// Sets the first `columns` columns to zero.
    pub(super) fn clear(&mut self, columns: usize) {
        self.0[..columns].iter_mut().for_each(|row| row[..columns].fill(0.0));
    }

    /// Adds the products of the first `columns` columns over `n` pixels, a multiple of eight.
    pub(super) fn add_block(&mut self, block: &Columns, columns: usize, n: usize) {
        for i in 0..columns {
            for j in i..columns {
                self.0[i][j] += f64::from(dot(&block[i], &block[j], n));
            }
        }
    }

    pub(super) fn add(&mut self, other: &Self, columns: usize) {
        for (row, theirs) in self.0[..columns].iter_mut().zip(&other.0) {
            row[..columns].iter_mut().zip(theirs).for_each(|(sum, value)| *sum += value);
        }
    }

    /// Adds other sums with their residuals taken from a ground level `lower` gray levels below.
    pub(super) fn add_rebased(&mut self, other: &Self, lower: f64, columns: usize) {
        self.add(other, columns);
        let level = &other.0[LEVEL];
        self.0[RESIDUAL][RESIDUAL] += lower * (2.0 * level[RESIDUAL] + lower * level[LEVEL]);
        for (value, product) in self.0[RESIDUAL].iter_mut().zip(level).skip(FIRST_SHARED) {
            *value += lower * product;
        }
        self.0[LEVEL][RESIDUAL] += lower * level[LEVEL];
    }

    /// Writes to `out` the sums left for the other columns when the ground level is fitted (the Schur complement).
    pub(super) fn without_level(&self, out: &mut Self, columns: usize) {
        let level = &self.0[LEVEL];
        let per_level = if level[LEVEL] < MIN_GROUND_PX { 0.0 } else { 1.0 / level[LEVEL] };
        for i in RESIDUAL..columns {
            let factor = level[i] * per_level;
            let products = level[i..columns].iter().zip(&self.0[i][i..columns]);
            out.0[i][i..columns].iter_mut().zip(products).for_each(|(out, (level, own))| *out = own - factor * level);
        }
    }

    /// The step of the ground level once the shared parameters take `step`.
    pub(super) fn level_step(&self, step: &[f64]) -> f64 {
        let level = self.0[LEVEL];
        if level[LEVEL] < MIN_GROUND_PX {
            return 0.0;
        }
        let taken: f64 = step.iter().zip(&level[FIRST_SHARED..]).map(|(s, l)| s * l).sum();
        (level[RESIDUAL] - taken) / level[LEVEL]
    }

    /// The matrix and right side of the shared parameters, as many as `N`.
    pub(super) fn shared<const N: usize>(&self) -> ([[f64; N]; N], [f64; N]) {
        let at = |i: usize, j: usize| self.0[FIRST_SHARED + i.min(j)][FIRST_SHARED + i.max(j)];
        let matrix = std::array::from_fn(|i| std::array::from_fn(|j| at(i, j)));
        (matrix, std::array::from_fn(|i| self.0[RESIDUAL][FIRST_SHARED + i]))
    }
}

/// Dot product of the first `n` elements, a multiple of eight, in independent lanes, which become vector registers.
pub(super) fn dot(a: &[f32; BLOCK], b: &[f32; BLOCK], n: usize) -> f32 {
    let n = n.min(BLOCK);
    let (a, _) = a[..n].as_chunks::<8>();
    let (b, _) = b[..n].as_chunks::<8>();
    let mut lanes = [0.0f32; 8];
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            lanes[i] += a[i] * b[i];
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// Relative ridge on the diagonal: parameters the pixels say nothing of stay where they are.
const RIDGE: f64 = 1e-9;

/// Solves a symmetric positive definite system by Cholesky; `None` when it is not.
pub(super) fn solve<const N: usize>(matrix: &[[f64; N]; N], right: &[f64; N]) -> Option<[f64; N]> {
    Factor::new(matrix).map(|factor| factor.solve(right))
}

/// Lower Cholesky factor of a matrix scaled to a unit diagonal.
pub(super) struct Factor<const N: usize> {
    lower: [[f64; N]; N],
    scale: [f64; N],
}

impl<const N: usize> Factor<N> {
    pub(super) fn new(matrix: &[[f64; N]; N]) -> Option<Self> {
        let scale: [f64; N] =
            std::array::from_fn(|i| if matrix[i][i] > 0.0 { matrix[i][i].sqrt().recip() } else { 1.0 });
        let mut lower = [[0.0; N]; N];
        for i in 0..N {
            for j in 0..=i {
                let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
                let scaled = matrix[i][j] * scale[i] * scale[j];
                if i == j {
                    let square = scaled.max(RIDGE) + RIDGE - known;
                    lower[i][i] = if square > 0.0 {
                        square.sqrt()
                    } else {
                        return None;
                    };
                } else {
                    lower[i][j] = (scaled - known) / lower[j][j];
                }
            }
        }
        lower.iter().flatten().all(|value| value.is_finite()).then_some(Self { lower, scale })
    }

    pub(super) fn solve(&self, right: &[f64; N]) -> [f64; N] {
        let mut x: [f64; N] = std::array::from_fn(|i| right[i] * self.scale[i]);
        for i in 0..N {
            let known: f64 = (0..i).map(|k| self.lower[i][k] * x[k]).sum();
            x[i] = (x[i] - known) / self.lower[i][i];
        }
        for i in (0..N).rev() {
            let known: f64 = (i + 1..N).map(|k| self.lower[k][i] * x[k]).sum();
            x[i] = (x[i] - known) / self.lower[i][i];
        }
        std::array::from_fn(|i| x[i] * self.scale[i])
    }
}
