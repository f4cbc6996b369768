//! Calibrates sets of frames: checks that there are enough, fits the model or chooses one, and describes the result.

use shared::geometry::Size;
use shared::lens::correction::Target;
use shared::lens::{Correction, Distortion, Form, Pinhole, Point};

use super::choice::{ModelChoice, ModelKind};
use super::error::CalibrateError;
use super::fit::{Fit, Sigma, fit};
use super::observation::{Set, common_size};
use super::problem::{Model, Problem};
use super::residuals::Placed;
use super::result::{Calibration, Candidate};
use super::start::start;
use super::{describe, validate};

/// What to calibrate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) model: ModelChoice,
    pub(super) distortion: Distortion,
    pub(super) focal: Option<f64>,
    pub(super) target: Target,
    pub(super) size: Option<Size>,
    /// Where the standard deviations come from, if not from the input.
    pub(super) sigma: Option<Sigma>,
}

/// The result of a calibration, with the data for its files.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) calibration: Calibration,
    pub(super) correction: Correction,
    /// The form, and its parameters for the first set.
    pub(super) form: Form,
    pub(super) values: Vec<f64>,
    pub(super) fit: Fit,
    /// Residuals of the model at the places of the answers.
    pub(super) placed: Vec<Placed>,
    /// Answer minus truth of the same frames.
    pub(super) raw: Vec<Point>,
}

/// Calibrates these sets.
pub(super) fn calibrate(sets: &[Set], asked: &Asked) -> Result<Found, CalibrateError> {
    let size = asked.size.map_or_else(|| common_size(sets), |size| Ok(Some(size)))?;
    common_size(sets)?;
    sets.iter().try_for_each(Set::check)?;
    if asked.target == Target::Sphere && asked.model.kind != ModelKind::Camera {
        let wrong = "--target sphere needs --model camera: only a pose tells how far away a sphere is";
        return Err(CalibrateError::Usage(wrong.into()));
    }
    check_times(sets, asked)?;
    let sigma = sigma(sets, asked);
    let mut notes = notes(sets, asked, sigma);
    let (model, choice, fitted, candidates) = match asked.model.kind {
        ModelKind::Auto => chosen(sets, asked, size, sigma)?,
        kind => {
            let model = model(kind, asked, size)?;
            (model, asked.model, fitted(sets, model, asked, size, sigma)?, Vec::new())
        }
    };
    let problem = Problem::new(model, sets);
    let held_out = validate::cross_validated(&problem, &fitted, sigma);
    if held_out.is_none() {
        notes.push("there is no cross-validation, because there are too few frames to hold some out".into());
    }
    Ok(describe::found(&problem, choice, fitted, describe::About { size, sigma, candidates, held_out, notes }))
}

/// A form for the model, which needs a size if it has a lens.
fn model(kind: ModelKind, asked: &Asked, size: Option<Size>) -> Result<Model, CalibrateError> {
    let pinhole = || match size {
        Some(Size { width, height }) => {
            let focal = asked.focal.unwrap_or(f64::from(width));
            Ok(Pinhole::centred(focal, f64::from(width), f64::from(height)))
        }
        None => {
            let wrong =
                "a model with a lens needs the size of the images: give --size WIDTHxHEIGHT, for example 640x480";
            Err(CalibrateError::Usage(wrong.into()))
        }
    };
    let form = match kind {
        ModelKind::Offset => Form::Offset,
        ModelKind::Similarity => Form::Similarity,
        ModelKind::Affine => Form::Affine,
        ModelKind::Homography | ModelKind::Auto => Form::Homography,
        ModelKind::Lensed => Form::Lensed { given: pinhole()?, distortion: asked.distortion },
        ModelKind::Camera => {
            pinhole()?;
            Form::Camera(asked.distortion)
        }
    };
    let ModelChoice { time, shutter, .. } = asked.model;
    Ok(Model { form, time, shutter, target: asked.target })
}

fn fitted(sets: &[Set], model: Model, asked: &Asked, size: Option<Size>, sigma: Sigma) -> Result<Fit, CalibrateError> {
    let problem = Problem::new(model, sets);
    check_frames(&problem, &asked.model.to_string())?;
    let (centre, focal) = centre(size, asked.focal);
    let start = start(&problem, centre, focal)?;
    fit(&problem, &start, sigma).map_err(|_| CalibrateError::Degenerate {
        name: sets.iter().map(|set| set.name.as_str()).collect::<Vec<_>>().join(", "),
        wrong: format!("{} does not fit its answers: no minimum was found", asked.model),
    })
}

fn centre(size: Option<Size>, focal: Option<f64>) -> (Point, f64) {
    let (width, height) = size.map_or((640.0, 480.0), |size| (f64::from(size.width), f64::from(size.height)));
    ([(width - 1.0) / 2.0, (height - 1.0) / 2.0], focal.unwrap_or(width))
}

/// The candidates of `auto`, from few parameters to many.
fn candidates(size: Option<Size>, asked: &Asked) -> Vec<(ModelKind, Distortion)> {
    let none = Distortion::Brown(0);
    let planar = [ModelKind::Offset, ModelKind::Similarity, ModelKind::Affine, ModelKind::Homography];
    let mut all: Vec<_> = planar.into_iter().map(|kind| (kind, none)).collect();
    if size.is_some() {
        let lenses = [Distortion::Brown(1), Distortion::Brown(2), Distortion::Brown(5), Distortion::Equidistant];
        let own = Some(asked.distortion).filter(|own| *own != none && !lenses.contains(own));
        all.extend(lenses.into_iter().chain(own).map(|lens| (ModelKind::Lensed, lens)));
    }
    all
}

type Chosen = (Model, ModelChoice, Fit, Vec<Candidate>);

/// The model with the least BIC. All candidates are judged on the same frames: those that are not outliers of the best
/// fit.
fn chosen(sets: &[Set], asked: &Asked, size: Option<Size>, sigma: Sigma) -> Result<Chosen, CalibrateError> {
    let mut found: Vec<(Model, ModelChoice, Distortion, Fit)> = Vec::new();
    let mut refused = None;
    for (kind, distortion) in candidates(size, asked) {
        let own = Asked { model: ModelChoice { kind, ..asked.model }, distortion, ..*asked };
        let model = model(kind, &own, size)?;
        match fitted(sets, model, &own, size, sigma) {
            Ok(fit) => found.push((model, own.model, distortion, fit)),
            Err(wrong) => refused = refused.or(Some(wrong)),
        }
    }
    // The best fit is the one with the most frames: a poor model has more outliers.
    let Some(used) = found.iter().max_by_key(|one| one.3.values.len()).map(|one| one.3.used.clone()) else {
        return Err(refused.unwrap_or_else(|| CalibrateError::Usage("no model fits these frames".into())));
    };
    let refit = |(model, choice, distortion, fit): (Model, ModelChoice, Distortion, Fit)| {
        let again = super::fit::fit_to(&Problem::new(model, sets), &fit.values, &used, sigma).unwrap_or(fit);
        (model, choice, distortion, again)
    };
    let mut judged: Vec<_> = found.into_iter().map(refit).collect();
    judged.sort_by(|a, b| a.3.criterion().total_cmp(&b.3.criterion()));
    let least = judged[0].3.criterion();
    let listed = judged.iter().map(|(model, choice, distortion, fit)| Candidate {
        model: choice.to_string(),
        distortion: matches!(model.form, Form::Lensed { .. }).then(|| distortion.to_string()),
        parameters: fit.values.len(),
        bic: fit.criterion() - least,
    });
    let listed = listed.collect();
    let (model, choice, _, fit) = judged.swap_remove(0);
    Ok((model, choice, fit, listed))
}

fn check_frames(problem: &Problem<'_>, model: &str) -> Result<(), CalibrateError> {
    let parameters = problem.parameters();
    let too_few = |needed: usize, name: String, found: usize, each: &'static str| CalibrateError::TooFew {
        model: model.into(),
        parameters,
        needed,
        each,
        name,
        found,
    };
    let (_, poses) = problem.layout();
    // A frame has two numbers. One more than the parameters is needed for residuals.
    let (needed, found) = (parameters / 2 + 1, problem.frames());
    let sparse = problem.sets.iter().find(|set| poses > 0 && set.observations.len() < 4);
    if let Some(set) = sparse {
        return Err(too_few(4, set.name.clone(), set.observations.len(), " in each pose"));
    }
    if found < needed {
        let name = problem.sets.iter().map(|set| set.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(too_few(needed, name, found, ""));
    }
    let needs_a_plane = !matches!(problem.model.form, Form::Offset | Form::Similarity);
    let line = problem.sets.iter().find(|set| needs_a_plane && set.is_a_line());
    line.map_or(Ok(()), |set| Err(CalibrateError::OneLine { name: set.name.clone(), model: model.into() }))
}

fn check_times(sets: &[Set], asked: &Asked) -> Result<(), CalibrateError> {
    let ModelChoice { time, shutter, .. } = asked.model;
    let has_times = |set: &Set| set.track.is_known() && set.observations.iter().all(|one| one.time_us.is_some());
    match sets.iter().find(|set| (time || shutter) && !has_times(set)) {
        Some(set) => Err(CalibrateError::Usage(format!(
            "{} needs the time of each frame, which {} does not have: add a column t_us, or calibrate a run's folder",
            asked.model,
            shared::text::Escaped(&set.name)
        ))),
        None => Ok(()),
    }
}

fn sigma(sets: &[Set], asked: &Asked) -> Sigma {
    let is_stated = sets.iter().all(|set| set.is_stated && set.has_covariances());
    match asked.sigma {
        Some(sigma) if sets.iter().all(Set::has_covariances) => sigma,
        _ if is_stated => Sigma::Stated,
        _ => Sigma::Residuals,
    }
}

fn notes(sets: &[Set], asked: &Asked, sigma: Sigma) -> Vec<String> {
    let mut notes = Vec::new();
    match sigma {
        Sigma::Residuals if asked.sigma.is_some() => {
            notes.push(
                "not all answers have a covariance: --reference is not used, and σ comes from the residuals".into(),
            );
        }
        Sigma::Residuals if sets.iter().any(|set| set.is_stated) => {
            notes.push("without covariances σ comes from the residuals: whether the model fits is not known".into());
        }
        Sigma::Residuals => {
            notes.push("σ comes from the residuals: give --reference RUN to learn whether the model fits".into());
        }
        Sigma::Stated | Sigma::Reference { .. } => {}
    }
    if asked.target != Target::Point && sets.iter().any(|set| set.observations.iter().any(|one| one.radius.is_none())) {
        notes.push("frames without a radius are taken as points, although the target is not".into());
    }
    if asked.model.kind == ModelKind::Camera && sets.len() == 1 {
        notes.push("the model camera needs three or more poses: give a run for each".into());
    }
    notes
}
