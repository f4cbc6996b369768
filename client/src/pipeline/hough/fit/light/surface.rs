//! A surface of second order through samples of a picture, by least squares.

use crate::pipeline::hough::fit::equations::cholesky::Factor;

/// Terms: 1, x, y, x², xy, y².
pub(super) const TERMS: usize = 6;

/// Powers of x and y in each term.
const POWERS: [(usize, usize); TERMS] = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)];

/// A surface of gray levels over a plane. Positions are relative to a centre, in units of a scale.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Surface {
    /// Factors of the terms.
    pub(super) terms: [f64; TERMS],
}

/// Sums over samples: of x^i y^j, of x^i y^j times the value, and of the squared value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    places: [[f64; 5]; 5],
    values: [[f64; 3]; 3],
    squares: f64,
}

/// A surface fitted to samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fitted {
    pub(super) surface: Surface,
    /// Sum of squared residuals of a level alone, and of the surface.
    pub(super) even: f64,
    pub(super) left: f64,
    /// Variances of the slopes along x and y, for samples with a variance of 1.
    pub(super) spread: [f64; 2],
    /// Number of samples.
    pub(super) count: f64,
}

/// Sums along a row: of x^i, of x^i times the value, and of the squared value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RowSums {
    pub(super) places: [f64; 5],
    pub(super) values: [f64; 3],
    pub(super) squares: f64,
}

impl Surface {
    /// A surface with one level everywhere.
    pub(super) fn even(level: f64) -> Self {
        Self { terms: [level, 0.0, 0.0, 0.0, 0.0, 0.0] }
    }

    /// The surface along a row: factors of 1, x and x².
    pub(super) fn along(&self, y: f64) -> [f32; 3] {
        let [level, x, by_y, xx, xy, yy] = self.terms;
        [level + y * (by_y + y * yy), x + y * xy, xx].map(|factor| factor as f32)
    }
}

impl Moments {
    /// Adds a row's samples.
    pub(super) fn add(&mut self, row: &RowSums, y: f64) {
        let mut power = 1.0;
        for j in 0..5 {
            for i in 0..5 - j {
                self.places[i][j] += row.places[i] * power;
            }
            for i in 0..3usize.saturating_sub(j) {
                self.values[i][j] += row.values[i] * power;
            }
            power *= y;
        }
        self.squares += row.squares;
    }

    /// Number of samples.
    pub(super) fn count(&self) -> f64 {
        self.places[0][0]
    }

    /// Fits the surface. `None` if the samples do not determine one.
    pub(super) fn fit(&self) -> Option<Fitted> {
        let mut matrix = [[0.0; TERMS]; TERMS];
        let mut right = [0.0; TERMS];
        for (row, &(i, j)) in POWERS.iter().enumerate() {
            right[row] = self.values[i][j];
            for (column, &(k, l)) in POWERS.iter().enumerate() {
                matrix[row][column] = self.places[i + k][j + l];
            }
        }
        let factor = Factor::new(&matrix, TERMS)?;
        let terms = factor.solve(&right, TERMS);
        let explained: f64 = terms.iter().zip(&right).map(|(term, right)| term * right).sum();
        let unit = |i: usize| std::array::from_fn(|j| f64::from(u8::from(i == j)));
        let even = self.squares - right[0] * right[0] / self.count().max(1.0);
        Some(Fitted {
            surface: Surface { terms },
            even: even.max(0.0),
            left: (self.squares - explained).max(0.0),
            spread: [1, 2].map(|i| factor.solve(&unit(i), TERMS)[i]),
            count: self.count(),
        })
    }
}

impl Fitted {
    /// Variance of the residuals.
    pub(super) fn variance(&self) -> f64 {
        self.left / (self.count - TERMS as f64).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surface_of_second_order_is_recovered() {
        let terms = [3.0, 0.5, -1.5, 0.25, 0.75, -0.125];
        let mut moments = Moments::default();
        for y in [-1.0, -0.5, 0.0, 0.5, 1.0_f64] {
            let mut row = RowSums::default();
            for x in [-1.0, -0.3, 0.2, 0.9_f64] {
                let value: f64 =
                    POWERS.iter().zip(terms).map(|(&(i, j), t)| t * x.powi(i as i32) * y.powi(j as i32)).sum();
                (0..5).for_each(|i| row.places[i] += x.powi(i as i32));
                (0..3).for_each(|i| row.values[i] += value * x.powi(i as i32));
                row.squares += value * value;
            }
            moments.add(&row, y);
        }
        let fitted = moments.fit().expect("twenty samples");
        assert!(fitted.surface.terms.iter().zip(terms).all(|(found, term)| (found - term).abs() < 1e-6), "{fitted:?}");
        // The factor's ridge, 1e-9, times the squares.
        assert!(fitted.left < 1e-6 && fitted.even > 1.0 && fitted.count == 20.0, "{fitted:?}");
    }
}
