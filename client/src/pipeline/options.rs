//! Options for building a pipeline.

use super::radii::RadiusLimits;

/// The options of all pipelines. Each pipeline uses those that apply to it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PipelineOptions {
    /// The radii that detectors of circles search for.
    pub radii: RadiusLimits,
}
