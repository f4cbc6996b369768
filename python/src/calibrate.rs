//! Calibrations and corrections.

use std::path::PathBuf;

use client::pipeline::corrected_answer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use server::calibrate::{CalibrateOptions, calibration};
use shared::lens::Correction as Map;
use shared::protocol::message::{Ellipse, FoundCircle};

use crate::circle::Circle;

/// A correction, which moves circles to where the ball is.
///
/// `file` is the `correction.toml` that `server calibrate` or `Calibration.save` wrote. `ValueError` if it is not a
/// correction.
#[pyclass(frozen, module = "plumb")]
#[derive(Clone, Debug)]
pub(crate) struct Correction(Map);

#[pymethods]
impl Correction {
    #[new]
    fn new(file: PathBuf) -> PyResult<Self> {
        Map::read(&file).map(Self).map_err(|wrong| PyValueError::new_err(wrong.to_string()))
    }

    /// The corrected circle, with its covariance, radius and ellipse. A circle where the correction has no value stays
    /// as it is.
    fn apply(&self, circle: &Circle) -> Circle {
        let answer = corrected_answer(circle.payload(), &self.0);
        let Ok(Some(FoundCircle { circle: found, covariance })) = FoundCircle::read(&answer) else {
            return circle.clone();
        };
        let corrected = Circle::at(found.x, found.y, found.radius).with_cov(covariance.map(|of| [of.xx, of.xy, of.yy]));
        corrected.with_ellipse(Ellipse::read(&answer).ok().flatten())
    }

    /// The text of its file.
    #[getter]
    fn text(&self) -> String {
        self.0.to_text()
    }
}

/// Calibrates runs' folders and CSV files. Returns the result as JSON, and the correction.
///
/// # Errors
/// `ValueError` if an option is wrong, an input cannot be read, or there are too few frames.
#[pyfunction]
#[pyo3(signature = (inputs, model, distortion, target, focal=None, size=None, reference=None, verify=None))]
#[expect(clippy::too_many_arguments, reason = "they are the options of the command line")]
pub(crate) fn calibrate(
    py: Python<'_>,
    inputs: Vec<PathBuf>,
    model: &str,
    distortion: &str,
    target: &str,
    focal: Option<f64>,
    size: Option<&str>,
    reference: Option<PathBuf>,
    verify: Option<PathBuf>,
) -> PyResult<(String, Correction)> {
    let wrong = |wrong: String| PyValueError::new_err(wrong);
    let options = CalibrateOptions {
        inputs,
        model: model.parse().map_err(wrong)?,
        distortion: distortion.parse().map_err(wrong)?,
        target: target.parse().map_err(wrong)?,
        focal,
        size: size
            .map(str::parse)
            .transpose()
            .map_err(|error: shared::geometry::SizeError| wrong(error.to_string()))?,
        reference,
        verify,
        strict: false,
        json: None,
        out: None,
    };
    let found = py.detach(|| calibration(&options)).map_err(|error| wrong(error.to_string()))?;
    let json = serde_json::to_string(&found.0).map_err(|error| wrong(error.to_string()))?;
    Ok((json, Correction(found.1)))
}
