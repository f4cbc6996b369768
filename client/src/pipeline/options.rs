//! Options for building a pipeline.

use std::time::Duration;

use super::radii::RadiusLimits;

/// The options of all pipelines. Each pipeline uses those that apply to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PipelineOptions {
    /// The radii that detectors of circles search for.
    pub radii: RadiusLimits,
    /// How long a program may take for a frame.
    pub timeout: Duration,
}

/// How long a program may take for a frame, unless it is set: half of a server's default deadline.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

impl Default for PipelineOptions {
    fn default() -> Self {
        Self { radii: RadiusLimits::default(), timeout: DEFAULT_TIMEOUT }
    }
}
