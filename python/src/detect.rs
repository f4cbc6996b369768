//! Our detector on a numpy array.

use std::cell::RefCell;

use client::pipeline::{Detector, DetectorChoice, Estimate, RadiusLimits, detector_names};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use shared::image::Image;

use crate::circle::Circle;
use crate::pixels;

thread_local! {
    /// The detector that was used last on this thread, with its memory.
    static LATEST: RefCell<Option<(RadiusLimits, Box<dyn Detector>)>> = const { RefCell::new(None) };
}

/// Finds the most prominent circle in an image.
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
    let found = py.detach(|| detected(image, limits)).map_err(|wrong| PyValueError::new_err(wrong.to_string()))?;
    Ok(found.map(|Estimate { circle, covariance }| {
        let cov = covariance.map(|covariance| [covariance.xx, covariance.xy, covariance.yy]);
        Circle::at(circle.x, circle.y, Some(circle.radius)).with_cov(cov)
    }))
}

fn detected(image: Image, limits: RadiusLimits) -> Result<Option<Estimate>, client::pipeline::PipelineError> {
    LATEST.with_borrow_mut(|latest| {
        let mut detector = match latest.take() {
            Some((same, detector)) if same == limits => detector,
            _ => DetectorChoice::new(detector_names().next().unwrap_or_default(), limits)?.build(),
        };
        let found = detector.detect(image.into_gray_levels().view());
        *latest = Some((limits, detector));
        Ok(found)
    })
}
