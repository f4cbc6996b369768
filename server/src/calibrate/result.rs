//! What a calibration found, as `--json` writes it.

use serde::Serialize;
use shared::geometry::Size;

/// The version of this format.
const SCHEMA: u32 = 1;

/// What a calibration found.
#[derive(Clone, Debug, Serialize)]
pub struct Calibration {
    /// Version of this format.
    pub schema: u32,
    /// Version of the server.
    pub version: &'static str,
    /// The model, with `+time` and `+shutter` if they were fitted.
    pub model: String,
    /// The lens distortion of a model that has one.
    pub distortion: Option<String>,
    /// Focal lengths and centre in px that were given instead of fitted.
    pub given: Option<[f64; 4]>,
    /// Size of the images.
    #[serde(serialize_with = "as_text")]
    pub size: Option<Size>,
    /// The runs and files.
    pub inputs: Vec<Input>,
    /// Frames that were fitted.
    pub frames: usize,
    /// Frames that were left out, because their answers are far from all others.
    pub outliers: usize,
    /// The parameters.
    pub parameters: Vec<Parameter>,
    /// Correlation of each pair of parameters, in their order; `null` for one without a σ.
    pub correlations: Vec<Vec<Option<f64>>>,
    /// Parameters that the data do not determine.
    pub cannot_tell: Vec<CannotTell>,
    /// Where σ comes from: `residuals`, `covariances` or `reference`.
    pub sigma_from: &'static str,
    /// Mean squared error of the answers in units of their covariances: measured on the reference, or found here.
    pub nees: Option<f64>,
    /// Whether the model fits; `null` if σ comes from the residuals.
    pub fits: Option<bool>,
    /// The test behind it.
    pub chi_squared: Option<ChiSquaredResult>,
    /// Answer minus truth.
    pub before: Residuals,
    /// Answer minus model.
    pub after: Residuals,
    /// Answer minus model by distance from the centre of the image.
    pub by_radius: Vec<Ring>,
    /// Answer minus model over the image.
    pub over_image: Vec<CellOfImage>,
    /// How well the model predicts frames that it was not fitted to.
    pub cross_validation: Option<CrossValidation>,
    /// The candidates of `auto`, best first.
    pub candidates: Vec<Candidate>,
    /// The error of a second run before and after the correction.
    pub verified: Option<Verified>,
    /// Notes for the reader.
    pub notes: Vec<String>,
}

/// A run or file.
#[derive(Clone, Debug, Serialize)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Frames with an answer.
    pub frames: usize,
}

/// A parameter.
#[derive(Clone, Debug, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: &'static str,
    /// Its value; `null` if the data do not determine it.
    pub value: Option<f64>,
    /// Its standard deviation; `null` if the model does not fit, or the data do not determine it.
    pub sigma: Option<f64>,
    /// The 95 % interval.
    pub low: Option<f64>,
    /// The 95 % interval.
    pub high: Option<f64>,
}

/// Parameters that the data determine only together.
#[derive(Clone, Debug, Serialize)]
pub struct CannotTell {
    /// Their names.
    pub parameters: Vec<String>,
    /// Why.
    pub why: String,
}

/// The test whether the model fits.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ChiSquaredResult {
    /// Sum of the squared residuals in standard deviations.
    pub statistic: f64,
    /// Degrees of freedom.
    pub freedom: f64,
    /// The part of the sum that is a pattern over the image: polynomials up to degree 5.
    pub pattern: Option<f64>,
    /// Degrees of freedom of the pattern.
    pub pattern_freedom: Option<f64>,
    /// Probability that a right model has larger residuals, or a stronger pattern.
    pub p: f64,
}

/// Residuals, in px.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Residuals {
    /// Root mean square of their lengths.
    pub rms_px: f64,
    /// Mean along x and y.
    pub mean_px: [f64; 2],
    /// Mean of |dx| + |dy|.
    pub l1_mean_px: f64,
    /// The largest length.
    pub max_px: f64,
}

/// Residuals of a ring around the centre of the image.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ring {
    /// Inner and outer radius in px.
    pub radius_px: [f64; 2],
    /// Frames.
    pub frames: usize,
    /// Mean residual away from the centre, in px.
    pub outward_px: f64,
    /// Root mean square of the residuals' lengths.
    pub rms_px: f64,
}

/// Residuals of a part of the image.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CellOfImage {
    /// Its left, top, right and bottom edge in px.
    pub place_px: [f64; 4],
    /// Frames.
    pub frames: usize,
    /// Mean residual.
    pub mean_px: [f64; 2],
    /// Root mean square of the residuals' lengths.
    pub rms_px: f64,
    /// Standard deviation of the model's image in the middle of the cell, the larger of x and y; `null` as `sigma`.
    pub uncertainty_px: Option<f64>,
}

/// How well the model predicts frames that it was not fitted to.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CrossValidation {
    /// Parts of the frames, each held out once.
    pub folds: usize,
    /// Root mean square of the residuals of the frames that were fitted.
    pub fitted_rms_px: f64,
    /// Root mean square of the residuals of frames held out.
    pub held_out_rms_px: f64,
    /// The same with whole poses held out, of which only the place is fitted; only for the model camera.
    pub poses_rms_px: Option<f64>,
    /// Probability that two halves of the frames differ by more than they do, if their covariances are right.
    pub halves_p: Option<f64>,
}

/// A candidate of `auto`.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    /// The model.
    pub model: String,
    /// Its distortion.
    pub distortion: Option<String>,
    /// Its parameters.
    pub parameters: usize,
    /// Schwarz' criterion minus that of the best candidate.
    pub bic: f64,
}

/// The error of a second run before and after the correction.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// The run.
    pub name: String,
    /// Frames.
    pub frames: usize,
    /// Answer minus truth.
    pub before: Residuals,
    /// Corrected answer minus truth.
    pub after: Residuals,
    /// Mean squared error of the corrected answers in units of their covariances.
    pub nees: Option<f64>,
}

impl Calibration {
    /// The version of this format.
    pub(super) const SCHEMA: u32 = SCHEMA;
}

fn as_text<S: serde::Serializer>(size: &Option<Size>, serializer: S) -> Result<S::Ok, S::Error> {
    size.map(|size| size.to_string()).serialize(serializer)
}
