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

/// Derivatives of a frame's image, with the parameters that they are by.
struct Row {
    residual: Point,
    by: [Point; MOST + 2],
    columns: [usize; MOST + 2],
    count: usize,
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
        self.all().map(|(set, one)| self.residual(&maps[set].1, one, self.shown(set, one, p).0)).collect()
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
        let maps = self.maps(p);
        for (at, (set, one)) in self.all().enumerate() {
            if !used[at] {
                continue;
            }
            let mut row = self.row(&maps[set], set, one, p)?;
            let root = &self.whitening[at];
            row.by[..row.count].iter_mut().for_each(|pair| *pair = white(root, *pair));
            let (columns, by) = (&row.columns[..row.count], &row.by[..row.count]);
            take(&White { residual: white(root, row.residual), by, columns, answer: one.answer, root });
        }
        Some(())
    }

    /// The normal equations. `None` if a frame that is fitted has no image.
    pub(super) fn normal(&self, p: &[f64], used: &Used) -> Option<Normal> {
        let count = self.parameters();
        let (mut sums, mut gradient, mut cost) = (vec![0.0; count * count], DVector::zeros(count), 0.0);
        self.each_row(p, used, |row| {
            let residual = row.residual;
            cost += residual[0] * residual[0] + residual[1] * residual[1];
            for (i, a) in row.by.iter().enumerate() {
                let line = row.columns[i] * count;
                gradient[row.columns[i]] += a[0] * residual[0] + a[1] * residual[1];
                for (j, b) in row.by[..=i].iter().enumerate() {
                    sums[line + row.columns[j]] += a[0] * b[0] + a[1] * b[1];
                }
            }
        })?;
        let matrix = DMatrix::from_fn(count, count, |row, column| sums[row.max(column) * count + row.min(column)]);
        cost.is_finite().then_some(Normal { matrix, gradient, cost })
    }

    /// The parameters and the map of each set.
    fn maps(&self, p: &[f64]) -> Vec<(Vec<f64>, Map)> {
        let of = |set| {
            let own = self.of_set(p, set);
            let map = self.model.form.map(&own);
            (own, map)
        };
        (0..self.sets.len()).map(of).collect()
    }

    /// A frame's residual and derivatives. Those of a disc's centroid are taken at its centre: they differ by less than a
    /// thousandth, so that the solution differs by less than a thousandth of its standard deviation.
    fn row(&self, (own, map): &(Vec<f64>, Map), set: usize, one: &Observation, p: &[f64]) -> Option<Row> {
        let (place, velocity) = self.shown(set, one, p);
        let residual = self.residual(map, one, place);
        let mut row = Row { residual, by: [[0.0; 2]; MOST + 2], columns: [0; MOST + 2], count: own.len() };
        let (_, slope) = self.model.form.project_by(map, own, place, &mut row.by)?;
        row.columns.iter_mut().zip(self.columns(set)).for_each(|(to, column)| *to = column);
        let moved = matrix::apply(&slope, velocity);
        let mut next = self.parameters() - usize::from(self.model.time) - usize::from(self.model.shutter);
        for (is_there, factor) in [(self.model.time, -1.0), (self.model.shutter, one.answer[1])] {
            if is_there {
                row.by[row.count] = [factor * moved[0], factor * moved[1]];
                row.columns[row.count] = next;
                (row.count, next) = (row.count + 1, next + 1);
            }
        }
        residual.iter().all(|value| value.is_finite()).then_some(row)
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
