//! Our detector on a numpy array.

use std::cell::RefCell;

use client::pipeline::{Detector, DetectorChoice, Estimate, PipelineError, RadiusLimits, detector_names};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use shared::image::{GrayLevels, Image};

use crate::circle::Circle;
use crate::leaving;
use crate::pixels;

thread_local! {
    /// The detector that was used last on this thread, with its memory.
    static LATEST: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// A detector that is used again.
struct Kept {
    limits: RadiusLimits,
    detector: Box<dyn Detector>,
    /// The gray levels of an image that is not gray8.
    gray: GrayLevels,
}

/// Finds the most prominent circle in an image: an array of uint8, (height, width), or (height, width, 3) in BGR; or of
/// uint16, (height, width), which is scaled to 8 bits (0 means no reading).
///
/// `min_radius` and `max_radius` are in px; by default 8, or 1/60 of the shorter side if that is larger, and 1/2 of the
/// shorter side. The circle has the covariance of its centre. `None` if there is no circle.
#[pyfunction]
#[pyo3(signature = (image, *, min_radius=None, max_radius=None))]
pub(crate) fn detect(
    py: Python<'_>,
    image: &Bound<'_, PyAny>,
    min_radius: Option<f64>,
    max_radius: Option<f64>,
) -> PyResult<Option<Circle>> {
    let image = pixels::image(image)?;
    let limits = RadiusLimits { min: min_radius, max: max_radius };
    let found = leaving::detached(py, || detected(&image, limits))?
        .map_err(|wrong| PyValueError::new_err(in_python(&wrong)))?;
    Ok(found.map(|Estimate { circle, covariance, .. }| {
        let cov = covariance.map(|covariance| [covariance.xx, covariance.xy, covariance.yy]);
        Circle::at(circle.x, circle.y, Some(circle.radius)).with_cov(cov)
    }))
}

fn detected(image: &Image, limits: RadiusLimits) -> Result<Option<Estimate>, PipelineError> {
    LATEST.with_borrow_mut(|latest| {
        let mut kept = match latest.take() {
            Some(kept) if kept.limits == limits => kept,
            _ => Kept::new(limits)?,
        };
        let found = kept.detect(image);
        *latest = Some(kept);
        Ok(found)
    })
}

impl Kept {
    fn new(limits: RadiusLimits) -> Result<Self, PipelineError> {
        let detector = DetectorChoice::new(detector_names().next().unwrap_or_default(), limits)?.build();
        Ok(Self { limits, detector, gray: GrayLevels::default() })
    }

    fn detect(&mut self, image: &Image) -> Option<Estimate> {
        self.detector.detect(self.gray.of(image.view()))
    }
}

/// The names of the arguments, for errors of the radius limits.
fn in_python(wrong: &PipelineError) -> String {
    format!("min_radius, max_radius: {wrong}")
}
