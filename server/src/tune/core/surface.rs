//! A quadratic surface through the trials: the response surface of G. E. P. Box and K. B. Wilson (J. R. Stat. Soc. B 13,
//! 1951).
//!
//! Every trial is one noisy look at the figure. The surface averages over all of them, so its lowest point is known
//! better than that of the best trial.

use nalgebra::{DMatrix, DVector};

use super::space::{Domain, Setting, Space};

/// More points than coefficients that a surface needs, so that its residuals have some degrees of freedom.
const SPARE: usize = 4;

/// A figure of a setting.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The point of the setting.
    pub(crate) point: Vec<f64>,
    /// The figure.
    pub(crate) value: f64,
    /// How many times the blocks of a usual trial are behind it.
    pub(crate) weight: f64,
}

/// A term of the surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Term {
    One,
    /// A range.
    Linear(usize),
    /// Two ranges, or one twice.
    Product(usize, usize),
    /// Whether a parameter has this choice.
    Is(usize, usize),
}

/// The surface.
#[derive(Clone, Debug)]
pub(crate) struct Surface {
    terms: Vec<Term>,
    coefficients: DVector<f64>,
    /// Number of choices of each parameter; 0 for a range.
    choices: Vec<usize>,
    /// Sum of the squared residuals, times their weights.
    squares: f64,
    freedom: usize,
}

impl Surface {
    /// The surface through these points. Interactions, and then squares, are left out if there are too few points.
    /// `None` if there are too few for a plane.
    pub(crate) fn of(space: &Space, seen: &[Seen]) -> Option<Self> {
        let choices: Vec<usize> = space
            .0
            .iter()
            .map(|parameter| match &parameter.domain {
                Domain::Choice(values) => values.len(),
                _ => 0,
            })
            .collect();
        let enough = |terms: &Vec<Term>| seen.len() >= terms.len() + SPARE;
        let terms = [terms(&choices, true, true), terms(&choices, true, false), terms(&choices, false, false)];
        fitted(terms.into_iter().find(enough)?, choices, seen)
    }

    /// Its value at a point.
    pub(crate) fn at(&self, point: &[f64]) -> f64 {
        let value = |term: &Term| self.value(*term, point);
        self.terms.iter().zip(self.coefficients.iter()).map(|(term, factor)| factor * value(term)).sum()
    }

    /// The standard deviation around it of points with the weight 1.
    pub(crate) fn deviation(&self) -> f64 {
        (self.squares / self.freedom.max(1) as f64).sqrt()
    }

    fn value(&self, term: Term, point: &[f64]) -> f64 {
        // Centred, so that linear and squared terms are not collinear.
        let centred = |place: usize| 2.0 * point[place] - 1.0;
        match term {
            Term::One => 1.0,
            Term::Linear(place) => centred(place),
            Term::Product(one, other) => centred(one) * centred(other),
            Term::Is(place, choice) => {
                let chosen = (point[place] * self.choices[place] as f64) as usize;
                f64::from(u8::from(chosen.min(self.choices[place] - 1) == choice))
            }
        }
    }
}

fn terms(choices: &[usize], squares: bool, interactions: bool) -> Vec<Term> {
    let ranges: Vec<usize> = (0..choices.len()).filter(|place| choices[*place] == 0).collect();
    let mut terms = vec![Term::One];
    terms.extend(ranges.iter().map(|place| Term::Linear(*place)));
    for (at, one) in ranges.iter().enumerate() {
        terms.extend(squares.then_some(Term::Product(*one, *one)));
        terms.extend(ranges[at + 1..].iter().filter(|_| interactions).map(|other| Term::Product(*one, *other)));
    }
    // The first choice is what the others are compared with.
    let is = |(place, count): (usize, &usize)| (1..*count).map(move |choice| Term::Is(place, choice));
    terms.extend(choices.iter().enumerate().flat_map(is));
    terms
}

/// Least squares, by singular values: terms that the points do not tell apart share their effect.
fn fitted(terms: Vec<Term>, choices: Vec<usize>, seen: &[Seen]) -> Option<Surface> {
    let mut surface = Surface { coefficients: DVector::zeros(terms.len()), terms, choices, squares: 0.0, freedom: 0 };
    let root = |row: usize| seen[row].weight.sqrt();
    let design = DMatrix::from_fn(seen.len(), surface.terms.len(), |row, column| {
        root(row) * surface.value(surface.terms[column], &seen[row].point)
    });
    let values = DVector::from_fn(seen.len(), |row, _| root(row) * seen[row].value);
    let parts = design.clone().svd(true, true);
    let negligible = parts.singular_values.max() * 1e-9;
    surface.coefficients = parts.solve(&values, negligible).ok()?;
    surface.squares = (design * &surface.coefficients - values).norm_squared();
    surface.freedom = seen.len().checked_sub(parts.rank(negligible))?;
    (surface.freedom > 0 && surface.squares.is_finite()).then_some(surface)
}

/// The points of settings that have one, with their figures and weights.
pub(crate) fn seen<'a>(space: &Space, figures: impl Iterator<Item = (&'a Setting, f64, f64)>) -> Vec<Seen> {
    let seen = |(setting, value, weight): (&Setting, f64, f64)| {
        Some(Seen { point: space.point(setting)?, value, weight }).filter(|seen| seen.value.is_finite())
    };
    figures.filter_map(seen).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::core::draw::{Draw, sobol};
    use crate::tune::core::space::{Parameter, Value};

    fn space() -> Space {
        let real = |name: &str| Parameter {
            name: name.into(),
            domain: Domain::Real { from: 0.0, to: 1.0, is_log: false },
            default: None,
        };
        let choice = Domain::Choice(["a", "b", "c"].map(|text| Value::Text(text.into())).to_vec());
        Space(vec![real("x"), real("dead"), Parameter { name: "kind".into(), domain: choice, default: None }])
    }

    fn looks(noise: f64, seed: u64) -> Vec<Seen> {
        let mut draw = Draw::new(seed);
        let figure = |point: &[f64]| 1.0 + (point[0] - 0.3).powi(2) + if point[2] > 0.66 { 0.5 } else { 0.0 };
        sobol(3, 60)
            .into_iter()
            .map(|point| Seen { value: figure(&point) + noise * draw.normal(), point, weight: 1.0 })
            .collect()
    }

    #[test]
    fn a_quadratic_figure_with_a_choice_is_reproduced() {
        let surface = Surface::of(&space(), &looks(0.0, 1)).unwrap();
        assert!((surface.at(&[0.3, 0.9, 0.2]) - 1.0).abs() < 1e-9);
        assert!((surface.at(&[0.0, 0.1, 0.9]) - 1.59).abs() < 1e-9);
        assert!(surface.deviation() < 1e-9);
    }

    #[test]
    fn a_point_with_a_weight_counts_as_often_as_that() {
        let mut weighted = looks(0.1, 1);
        let mut repeated = weighted.clone();
        for place in [3, 7, 20] {
            weighted[place].weight = 4.0;
            repeated.extend(std::iter::repeat_n(weighted[place].clone(), 3).map(|seen| Seen { weight: 1.0, ..seen }));
        }
        let [one, other] = [weighted, repeated].map(|seen| Surface::of(&space(), &seen).unwrap());
        for point in sobol(3, 20) {
            assert!((one.at(&point) - other.at(&point)).abs() < 1e-9);
        }
    }

    #[test]
    fn too_few_points_have_no_surface_and_a_few_more_a_plane() {
        let seen = looks(0.0, 1);
        assert!(Surface::of(&space(), &seen[..8]).is_none());
        assert_eq!(Surface::of(&space(), &seen[..9]).unwrap().terms.len(), 5);
    }
}
