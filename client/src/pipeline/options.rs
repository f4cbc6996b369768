//! Options for building a pipeline.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use shared::lens::Correction;
use shared::protocol::message::Meta;

use super::parameters::Parameters;
use super::radii::RadiusLimits;

/// The options of all pipelines. Each pipeline uses those that apply to it.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineOptions {
    /// The radii that detectors of circles search for.
    pub radii: RadiusLimits,
    /// Other numbers of a detector.
    pub parameters: Parameters,
    /// How long a program may take for a frame.
    pub timeout: Duration,
    /// What the source says about its stream, such as its camera. Set for each session.
    pub meta: Arc<Meta>,
    /// The correction of each circle before it is answered.
    pub correction: Option<Arc<Correction>>,
}

/// How long a program may take for a frame, unless it is set: half of a server's default deadline.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

/// Range of that time. No program is faster than the minimum, and nobody waits longer than the maximum.
pub(super) const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3600);

/// Reads that time from the text of an option or of a plan.
///
/// # Errors
/// What would be right.
pub fn timeout(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).ok().filter(|timeout| TIMEOUTS.contains(timeout));
    duration.ok_or_else(|| format!("\"{text}\" is not a duration from 1ms to 1h, such as 500ms or 1s"))
}

impl Default for PipelineOptions {
    fn default() -> Self {
        Self {
            radii: RadiusLimits::default(),
            parameters: Parameters::new(),
            timeout: DEFAULT_TIMEOUT,
            meta: Arc::default(),
            correction: None,
        }
    }
}
