//! What pipelines are told when they are built.

use super::radii::RadiusLimits;

/// The options of all pipelines; each takes what concerns it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PipelineOptions {
    /// The radii that detectors of circles look for.
    pub radii: RadiusLimits,
}
