//! Bounds that several stages share: on the work in a frame, and on the radii of what is found.

/// Largest number of candidates measured in the search for one disc, best first. Bounds the time spent on a frame
/// without a disc.
pub(crate) const MAX_CANDIDATES: usize = 12;

/// Largest number of candidates measured in the search for all discs, best first. Bounds the time spent on a frame full
/// of shapes. Twenty discs took 21 measurements.
pub(crate) const MAX_MEASURED: usize = 4 * MAX_CANDIDATES;

/// Longest step of a centre or a radius in one iteration of a fit, in pixels. The equations are linear in the position
/// of an edge, which holds as long as the step stays on the edge: of a sharp one, two pixels show the whole slope.
pub(crate) const MAX_STEP_PX: f64 = 2.0;

/// Slack on the range of radii, as a fraction of the radius and in pixels. The limits apply to the true radius, not to
/// an estimate.
pub(crate) const RADIUS_SLACK: f64 = 0.02;
pub(crate) const RADIUS_SLACK_PX: f64 = 0.5;
