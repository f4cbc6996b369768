//! The least-squares problem: residuals of a model with its derivatives, summed up into normal equations.

use nalgebra::{DMatrix, DVector};
use shared::lens::correction::Target;
use shared::lens::form::MOST;
use shared::lens::matrix;
use shared::lens::{Form, Map, Point, Solid};

use super::observation::{Observation, Set};

/// Parameters of a pose.
pub(super) const POSE: usize = 6;

/// A model: a form, and which times are fitted with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Model {
    pub(super) form: Form,
    /// Whether a delay of the answers is fitted.
    pub(super) time: bool,
    /// Whether the time from row to row is fitted.
    pub(super) shutter: bool,
    /// What the answers are estimates of.
    pub(super) target: Target,
}

/// The problem of fitting a model to sets of frames. Each set is one pose of a camera; other models share all parameters.
pub(super) struct Problem<'a> {
    pub(super) model: Model,
    pub(super) sets: &'a [Set],
    /// For each frame of all sets, in order: the inverse of the Cholesky factor of its covariance, [[a, 0], [b, c]].
    whitening: Vec<[f64; 3]>,
    /// Number of parameters of the form without its poses, and number of poses.
    layout: (usize, usize),
    /// Whether residuals are in standard deviations rather than px.
    pub(super) is_weighted: bool,
}

/// The normal equations at some parameters.
pub(super) struct Normal {
    /// JᵀWJ.
    pub(super) matrix: DMatrix<f64>,
    /// JᵀWr.
    pub(super) gradient: DVector<f64>,
    /// rᵀWr.
    pub(super) cost: f64,
}

/// Whether each frame of all sets is fitted; the others are outliers or held out.
pub(super) type Used = [bool];

/// Most parameters that a frame depends on: those of a form and two times.
const MOST_OF_FRAME: usize = MOST + 2;

/// A set, and its part of what the problem keeps for all frames.
struct Placed<'a> {
    place: usize,
    observations: &'a [Observation],
    whitening: &'a [[f64; 3]],
}

/// A frame's residual and derivatives, in standard deviations if the answers have covariances.
pub(super) struct White<'a> {
    pub(super) residual: Point,
    pub(super) by: &'a [Point],
    /// The parameters with respect to which the derivatives are.
    pub(super) columns: &'a [usize],
    /// The frame's answer, in px.
    pub(super) answer: Point,
    root: &'a [f64; 3],
}

impl White<'_> {
    /// Scales a pair in px like a residual: to standard deviations.
    pub(super) fn white(&self, pair: Point) -> Point {
        white(self.root, pair)
    }
}

impl<'a> Problem<'a> {
    pub(super) fn new(model: Model, sets: &'a [Set]) -> Self {
        let is_weighted = sets.iter().all(Set::has_covariances);
        let all = sets.iter().flat_map(|set| &set.observations);
        let whitening = all.map(|one| if is_weighted { root(one) } else { [1.0, 0.0, 1.0] }).collect();
        let names = model.form.names().len();
        let layout = if has_poses(model.form) { (names - POSE, sets.len()) } else { (names, 0) };
        Self { model, sets, whitening, layout, is_weighted }
    }

    /// Frames of all sets.
    pub(super) fn frames(&self) -> usize {
        self.whitening.len()
    }

    /// All frames, each with the place of its set.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &'a Observation)> {
        let sets = self.sets;
        sets.iter().enumerate().flat_map(|(place, set)| set.observations.iter().map(move |one| (place, one)))
    }

    /// Number of parameters of the form without its poses, and number of poses.
    pub(super) fn layout(&self) -> (usize, usize) {
        self.layout
    }

    pub(super) fn has_poses(&self) -> bool {
        has_poses(self.model.form)
    }

    /// Number of parameters.
    pub(super) fn parameters(&self) -> usize {
        let (shared, poses) = self.layout();
        shared + poses * POSE + usize::from(self.model.time) + usize::from(self.model.shutter)
    }

    /// The names of the parameters.
    pub(super) fn names(&self) -> Vec<String> {
        let (shared, poses) = self.layout();
        let names = self.model.form.names();
        let mut all: Vec<_> = names[..shared].iter().map(ToString::to_string).collect();
        for pose in 1..=poses {
            all.extend(names[shared..].iter().map(|name| format!("pose{pose}_{name}")));
        }
        all.extend(self.model.time.then(|| "time_offset_us".to_owned()));
        all.extend(self.model.shutter.then(|| "line_time_us".to_owned()));
        all
    }

    /// Place of the parameters of a set: the shared ones, then those of its pose.
    fn columns(&self, set: usize) -> impl Iterator<Item = usize> {
        let (shared, poses) = self.layout();
        let pose = if poses == 0 { 0..0 } else { shared + POSE * set..shared + POSE * (set + 1) };
        (0..shared).chain(pose)
    }

    /// The parameters of the form for a set.
    pub(super) fn of_set(&self, p: &[f64], set: usize) -> Vec<f64> {
        self.columns(set).map(|at| p[at]).collect()
    }

    /// The delay of the answers and the time from row to row, in µs.
    pub(super) fn times(&self, p: &[f64]) -> (Option<f64>, Option<f64>) {
        let (shared, poses) = self.layout();
        let after = shared + poses * POSE;
        let time = self.model.time.then(|| p[after]);
        (time, self.model.shutter.then(|| p[after + usize::from(self.model.time)]))
    }

    /// The place of the ball that an answer shows, with its velocity in px per µs.
    fn shown(&self, set: usize, one: &Observation, p: &[f64]) -> (Point, Point) {
        let (offset, line) = self.times(p);
        let (Some(time), true) = (one.time_us, offset.is_some() || line.is_some()) else {
            return (one.truth, [0.0, 0.0]);
        };
        let shift = one.answer[1] * line.unwrap_or(0.0) - offset.unwrap_or(0.0);
        self.sets[set].track.at(time + shift)
    }

    /// Residuals of all frames: answer minus model, in px; NaN where the model has no image.
    pub(super) fn residuals(&self, p: &[f64]) -> Vec<Point> {
        let maps = self.maps(p);
        self.all().map(|(set, one)| self.residual(&maps[set], one, self.shown(set, one, p).0)).collect()
    }

    fn residual(&self, map: &Map, one: &Observation, place: Point) -> Point {
        let image = match (self.model.target, one.radius) {
            (Target::Disc, Some(radius)) => map.centroid(place, radius),
            (Target::Sphere, Some(radius)) => map.centroid_of(Solid::Sphere, place, radius),
            _ => map.forward(place),
        };
        image.map_or([f64::NAN; 2], |image| [one.answer[0] - image[0], one.answer[1] - image[1]])
    }

    /// The squared residual of each frame: in variances if the answers have covariances, otherwise in px².
    pub(super) fn squares(&self, p: &[f64]) -> Vec<f64> {
        let whitened = self.residuals(p).into_iter().zip(&self.whitening).map(|(r, root)| {
            let [a, b] = white(root, r);
            a * a + b * b
        });
        whitened.map(|square| if square.is_nan() { f64::INFINITY } else { square }).collect()
    }

    /// The sum of the squared residuals of the frames that are fitted.
    pub(super) fn cost(&self, p: &[f64], used: &Used) -> f64 {
        self.squares(p).into_iter().zip(used).filter(|(_, used)| **used).map(|(square, _)| square).sum()
    }

    /// Calls `take` with each frame that is fitted. `None` if one of them has no image.
    pub(super) fn each_row(&self, p: &[f64], used: &Used, mut take: impl FnMut(&White<'_>)) -> Option<()> {
        self.each_set(used, |set, used| self.each_row_of(set, p, used, &mut take))
    }

    /// Calls `take` with each set, and with which of its frames are fitted.
    fn each_set(&self, used: &Used, mut take: impl FnMut(&Placed<'_>, &Used) -> Option<()>) -> Option<()> {
        let mut first = 0;
        for (place, set) in self.sets.iter().enumerate() {
            let frames = first..first + set.observations.len();
            let whitening = &self.whitening[frames.clone()];
            first = frames.end;
            take(&Placed { place, observations: &set.observations, whitening }, &used[frames])?;
        }
        Some(())
    }

    fn each_row_of(&self, set: &Placed<'_>, p: &[f64], used: &Used, take: &mut impl FnMut(&White<'_>)) -> Option<()> {
        let (own, columns) = (self.of_set(p, set.place), self.columns_of_frame(set.place));
        let map = self.model.form.map(&own);
        let mut by = [[0.0; 2]; MOST_OF_FRAME];
        for ((one, root), _) in set.observations.iter().zip(set.whitening).zip(used).filter(|(_, used)| **used) {
            let residual = self.row(&own, &map, set.place, one, p, &mut by)?;
            let by = &mut by[..columns.len()];
            by.iter_mut().for_each(|pair| *pair = white(root, *pair));
            take(&White { residual: white(root, residual), by, columns: &columns, answer: one.answer, root });
        }
        Some(())
    }

    /// The normal equations. `None` if a frame that is fitted has no image.
    pub(super) fn normal(&self, p: &[f64], used: &Used) -> Option<Normal> {
        let count = self.parameters();
        let (mut matrix, mut gradient, mut cost) = (DMatrix::zeros(count, count), DVector::zeros(count), 0.0);
        self.each_set(used, |set, used| {
            // The parameters of one set side by side: the processor adds several at once.
            let mut sums = [[0.0; MOST_OF_FRAME]; MOST_OF_FRAME];
            let mut products = [0.0; MOST_OF_FRAME];
            let (mut x, mut y) = ([0.0; MOST_OF_FRAME], [0.0; MOST_OF_FRAME]);
            self.each_row_of(set, p, used, &mut |row| {
                let [dx, dy] = row.residual;
                cost += dx * dx + dy * dy;
                x.iter_mut().zip(&mut y).zip(row.by).for_each(|((x, y), by)| (*x, *y) = (by[0], by[1]));
                for i in 0..row.by.len() {
                    products[i] += x[i] * dx + y[i] * dy;
                    for (sum, (x_j, y_j)) in sums[i][..=i].iter_mut().zip(x.iter().zip(&y)) {
                        *sum += x[i] * x_j + y[i] * y_j;
                    }
                }
            })?;
            let columns = self.columns_of_frame(set.place);
            for (i, row) in columns.iter().enumerate() {
                gradient[*row] += products[i];
                for (j, column) in columns.iter().enumerate() {
                    matrix[(*row, *column)] += sums[i.max(j)][i.min(j)];
                }
            }
            Some(())
        })?;
        cost.is_finite().then_some(Normal { matrix, gradient, cost })
    }

    /// Place of all parameters that a frame of a set depends on: those of its form, then the times.
    fn columns_of_frame(&self, set: usize) -> Vec<usize> {
        let (shared, poses) = self.layout();
        self.columns(set).chain(shared + poses * POSE..self.parameters()).collect()
    }

    /// The map of each set.
    fn maps(&self, p: &[f64]) -> Vec<Map> {
        (0..self.sets.len()).map(|set| self.model.form.map(&self.of_set(p, set))).collect()
    }

    /// A frame's residual; writes its derivatives. Those of a disc's centroid are taken at its centre: they differ by less
    /// than a thousandth, so that the solution differs by less than a thousandth of its standard deviation.
    fn row(
        &self,
        own: &[f64],
        map: &Map,
        set: usize,
        one: &Observation,
        p: &[f64],
        by: &mut [Point; MOST_OF_FRAME],
    ) -> Option<Point> {
        let (place, velocity) = self.shown(set, one, p);
        let (image, slope) = self.model.form.project_by(map, own, place, by)?;
        let residual = match (self.model.target, one.radius) {
            (Target::Disc | Target::Sphere, Some(_)) => self.residual(map, one, place),
            _ => [one.answer[0] - image[0], one.answer[1] - image[1]],
        };
        let moved = matrix::apply(&slope, velocity);
        let factors = [self.model.time.then_some(-1.0), self.model.shutter.then_some(one.answer[1])];
        for (by, factor) in by[own.len()..].iter_mut().zip(factors.into_iter().flatten()) {
            *by = [factor * moved[0], factor * moved[1]];
        }
        residual.iter().all(|value| value.is_finite()).then_some(residual)
    }

    /// The derivatives of the image of a point of the plane by the parameters of a set, without those of time.
    pub(super) fn sensitivity(&self, p: &[f64], set: usize, point: Point) -> Option<(Point, Vec<(usize, Point)>)> {
        let own = self.of_set(p, set);
        let mut by = [[0.0; 2]; MOST + 2];
        let (image, _) = self.model.form.project(&own, point, &mut by)?;
        Some((image, self.columns(set).zip(by).collect()))
    }
}

fn has_poses(form: Form) -> bool {
    matches!(form, Form::Camera(_))
}

fn white([a, b, c]: &[f64; 3], [x, y]: Point) -> Point {
    [a * x, b * x + c * y]
}

/// The inverse of the Cholesky factor of a covariance.
fn root(one: &Observation) -> [f64; 3] {
    // invariant: covariances are positive definite; the readers refuse others.
    let Some(covariance) = one.covariance else { return [1.0, 0.0, 1.0] };
    let first = covariance.xx.sqrt();
    let across = covariance.xy / first;
    let second = (covariance.yy - across * across).sqrt();
    [1.0 / first, -across / (first * second), 1.0 / second]
}
