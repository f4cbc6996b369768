//! What the tests of the detectors share: pictures, and detectors by name.

pub(crate) use testkit::picture::{Canvas, Random, Scatter};

use super::detector::Detector;
use super::detectors::DetectorChoice;
use super::error::PipelineError;
use super::radii::RadiusLimits;

/// A detector by name: most tests want one at once.
pub(crate) fn by_name(name: &str, limits: RadiusLimits) -> Result<Box<dyn Detector>, PipelineError> {
    DetectorChoice::new(name, limits).map(|choice| choice.build())
}
