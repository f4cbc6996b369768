//! What the tests of the detectors share: pictures, and detectors by name.

pub(crate) use testkit::picture::{Canvas, Random};

use super::choice::{DetectorChoice, DetectorError};
use super::detector::Detector;
use super::radii::RadiusLimits;

/// A detector by name: most tests want one at once.
pub(crate) fn by_name(name: &str, limits: RadiusLimits) -> Result<Box<dyn Detector>, DetectorError> {
    DetectorChoice::new(name, limits).map(|choice| choice.build())
}
