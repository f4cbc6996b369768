//! Describes a fit: parameters with their intervals, parameters that the data do not determine, residuals, and the
//! uncertainty over the image.

use nalgebra::DMatrix;
use shared::geometry::Size;
use shared::lens::{Correction, Form, Point};

use super::calibration::Found;
use super::choice::ModelChoice;
use super::fit::{Fit, Sigma};
use super::problem::Problem;
use super::residuals::{Placed, area, by_radius, over_image, summed};
use super::result::{Calibration, Candidate, CannotTell, ChiSquaredResult, CrossValidation, Input, Parameter};

/// What else is known about a fit.
pub(super) struct About {
    pub(super) size: Option<Size>,
    pub(super) sigma: Sigma,
    pub(super) candidates: Vec<Candidate>,
    pub(super) held_out: Option<CrossValidation>,
    pub(super) notes: Vec<String>,
}

/// The result of a calibration.
pub(super) fn found(problem: &Problem<'_>, choice: ModelChoice, fit: Fit, about: About) -> Found {
    let About { size, sigma, candidates, held_out, mut notes } = about;
    let fits = fit.chi_squared.map(super::fit::ChiSquared::fits);
    if fits == Some(false) {
        notes.push("the model does not fit: its parameters have no σ".into());
    }
    let form = problem.model.form;
    let covariance = fit.covariance();
    let placed = placed(problem, &fit);
    let raw: Vec<Point> = inliers(&fit, problem.all().map(|(_, one)| difference(one.answer, one.truth))).collect();
    let area = area(size, &placed);
    let is_valid = fits != Some(false);
    let uncertainty = |at: Point| is_valid.then(|| uncertainty(problem, &fit, &covariance, at)).flatten();
    if let Some(note) = folds(problem, &fit, area) {
        notes.push(note);
    }
    let calibration = Calibration {
        schema: Calibration::SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        model: choice.to_string(),
        distortion: distortion(form).map(|kind| kind.to_string()),
        given: given(form),
        size,
        inputs: problem
            .sets
            .iter()
            .map(|set| Input { name: set.name.clone(), frames: set.observations.len() })
            .collect(),
        frames: fit.frames(),
        outliers: problem.frames() - fit.frames(),
        parameters: parameters(&fit, &covariance, is_valid),
        correlations: correlations(&fit, &covariance, is_valid),
        cannot_tell: cannot_tell(&fit),
        sigma_from: match sigma {
            Sigma::Residuals => "residuals",
            Sigma::Stated => "covariances",
            Sigma::Reference { .. } => "reference",
        },
        nees: match sigma {
            Sigma::Reference { factor, .. } => Some(factor),
            Sigma::Residuals if problem.is_weighted => Some(fit.variance),
            _ => None,
        },
        fits,
        chi_squared: fit.chi_squared.map(|of| ChiSquaredResult {
            statistic: of.statistic,
            freedom: of.freedom,
            pattern: of.pattern.map(|pattern| pattern.0),
            pattern_freedom: of.pattern.map(|pattern| pattern.1),
            p: of.p,
        }),
        before: summed(raw.iter().copied()),
        after: summed(placed.iter().map(|one| one.1)),
        by_radius: by_radius(area, &placed),
        over_image: over_image(area, &placed, uncertainty),
        cross_validation: held_out,
        candidates,
        verified: None,
        notes,
    };
    let (offset, line) = problem.times(&fit.values);
    let (form, values) = corrected_form(problem, &fit);
    let correction = Correction::new(form, &values, size, problem.model.target).with_times(offset, line);
    Found { calibration, correction, form, values, fit, placed, raw }
}

/// The form of the correction. Several poses have no common plane, so their correction only removes the distortion.
fn corrected_form(problem: &Problem<'_>, fit: &Fit) -> (Form, Vec<f64>) {
    match problem.model.form {
        Form::Camera(distortion) if problem.sets.len() > 1 => {
            (Form::Undistorted(distortion), fit.values[..problem.layout().0].to_vec())
        }
        form => (form, problem.of_set(&fit.values, 0)),
    }
}

fn distortion(form: Form) -> Option<shared::lens::Distortion> {
    match form {
        Form::Lensed { distortion, .. } | Form::Camera(distortion) | Form::Undistorted(distortion) => Some(distortion),
        _ => None,
    }
}

fn given(form: Form) -> Option<[f64; 4]> {
    match form {
        Form::Lensed { given, .. } => Some([given.fx, given.fy, given.cx, given.cy]),
        _ => None,
    }
}

fn difference(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

fn inliers<'a, T: 'a>(fit: &'a Fit, all: impl Iterator<Item = T> + 'a) -> impl Iterator<Item = T> + 'a {
    all.zip(&fit.used).filter(|(_, used)| **used).map(|(one, _)| one)
}

/// The residuals at the answers' places.
fn placed(problem: &Problem<'_>, fit: &Fit) -> Vec<Placed> {
    let residuals = problem.residuals(&fit.values);
    inliers(fit, problem.all().zip(residuals).map(|((_, one), residual)| (one.answer, residual))).collect()
}

/// The unit of a parameter.
fn unit(name: &str) -> &'static str {
    let last = name.rsplit('_').next().unwrap_or(name);
    match name {
        "time_offset_us" | "line_time_us" => "us",
        "rotation" => "rad",
        "offset_x" | "offset_y" | "h13" | "h23" | "fx" | "fy" | "cx" | "cy" => "px",
        "h31" | "h32" => "1/px",
        _ if matches!(last, "rx" | "ry" | "rz") => "rad",
        _ if matches!(last, "tx" | "ty" | "tz") => "px",
        _ => "",
    }
}

fn parameters(fit: &Fit, covariance: &DMatrix<f64>, is_valid: bool) -> Vec<Parameter> {
    let all = fit.names.iter().enumerate();
    all.map(|(at, name)| {
        let value = fit.told.is_told[at].then_some(fit.values[at]);
        let sigma = value.filter(|_| is_valid).map(|_| covariance[(at, at)].max(0.0).sqrt());
        let end = |sign: f64| value.zip(sigma).map(|(value, sigma)| value + sign * fit.reach * sigma);
        Parameter { name: name.clone(), unit: unit(name), value, sigma, low: end(-1.0), high: end(1.0) }
    })
    .collect()
}

fn correlations(fit: &Fit, covariance: &DMatrix<f64>, is_valid: bool) -> Vec<Vec<Option<f64>>> {
    let count = fit.names.len();
    let of = |row: usize, column: usize| {
        let is_told = is_valid && fit.told.is_told[row] && fit.told.is_told[column];
        let scale = (covariance[(row, row)] * covariance[(column, column)]).sqrt();
        (is_told && scale > 0.0).then(|| (covariance[(row, column)] / scale).clamp(-1.0, 1.0))
    };
    (0..count).map(|row| (0..count).map(|column| of(row, column)).collect()).collect()
}

fn cannot_tell(fit: &Fit) -> Vec<CannotTell> {
    let of = |parts: &Vec<(usize, f64)>| {
        let parameters: Vec<_> = parts.iter().map(|(at, _)| fit.names[*at].clone()).collect();
        let signs: Vec<_> = parts.iter().map(|(at, part)| format!("{part:+.2} {}", fit.names[*at])).collect();
        let why = match parts.as_slice() {
            [_] => "the data do not depend on it".into(),
            _ => format!(
                "the data determine them only together, with a correlation of 1: they can change along {} without \
                 changing the residuals",
                signs.join(" ")
            ),
        };
        CannotTell { parameters, why }
    };
    fit.told.directions.iter().map(of).collect()
}

/// The standard deviation of the model's image at this place, the larger of x and y: J C Jᵀ (mrcal's projection
/// uncertainty). With several poses the mean of their variances.
fn uncertainty(problem: &Problem<'_>, fit: &Fit, covariance: &DMatrix<f64>, at: Point) -> Option<f64> {
    let of = |set: usize| {
        let map = problem.model.form.map(&problem.of_set(&fit.values, set));
        let (_, by) = problem.sensitivity(&fit.values, set, map.back(at)?)?;
        let variance = |axis: usize| {
            let term = |(a, x): &(usize, Point), (b, y): &(usize, Point)| x[axis] * covariance[(*a, *b)] * y[axis];
            by.iter().map(|x| by.iter().map(|y| term(x, y)).sum::<f64>()).sum::<f64>()
        };
        Some(variance(0).max(variance(1)))
    };
    let all: Vec<f64> =
        (0..problem.sets.len().min(if problem.has_poses() { usize::MAX } else { 1 })).filter_map(of).collect();
    (!all.is_empty()).then(|| (all.iter().sum::<f64>() / all.len() as f64).max(0.0).sqrt())
}

/// A note if the distortion folds back inside the image: beyond that radius the model is meaningless.
fn folds(problem: &Problem<'_>, fit: &Fit, area: [f64; 4]) -> Option<String> {
    let lens = problem.model.form.map(&problem.of_set(&fit.values, 0)).lens?;
    let corners = [[area[0], area[1]], [area[2], area[1]], [area[0], area[3]], [area[2], area[3]]];
    let cut = corners.iter().any(|corner| lens.unproject(*corner).is_none());
    cut.then(|| "the distortion folds back inside the image: in its corners the model is meaningless".into())
}
