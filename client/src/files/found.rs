//! The result for a file, as JSON and in words.

use std::fmt;

use serde::Serialize;

/// Result for one file.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    pub(super) file: String,
    #[serde(flatten)]
    pub(super) seen: Seen,
    pub(super) detect_us: Option<u64>,
    /// The picture with the finds drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) drawn: Option<String>,
    pub(super) error: Option<String>,
}

/// What was seen in a picture.
#[derive(Debug, Default, Serialize)]
pub(super) struct Seen {
    /// The best circle. `None` if none was found, or the file could not be read.
    pub(super) circle: Option<FoundCircle>,
    /// All circles, best first, if they are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) circles: Option<Vec<FoundCircle>>,
    /// Smallest and largest radius that were looked for, in px. `None` if no radius fits, or without a picture.
    pub(super) radii: Option<[f64; 2]>,
    /// Smallest ratio of half-axes that was looked for, if the detector finds ellipses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min_axis_ratio: Option<f64>,
    /// The best candidate that was rejected, if no circle was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rejected: Option<Candidate>,
    /// All candidates, best first, if they are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) candidates: Option<Vec<Candidate>>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct FoundCircle {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) radius: f64,
    /// Half-axes in px and the direction of the longer one in radians, if the outline is an ellipse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) axes: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) angle: Option<f64>,
}

/// A candidate that the detector looked at.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Candidate {
    #[serde(flatten)]
    pub(super) circle: FoundCircle,
    /// Evidence for the edge: −log₁₀ of the number of such edges expected in a random picture. `None` if the edge is
    /// outside.
    pub(super) evidence: Option<f64>,
    /// Share of the outline that has an edge.
    pub(super) share: f64,
    /// Why it was rejected. `None` if it was found.
    pub(super) reason: Option<String>,
}

impl Seen {
    /// What was looked for.
    pub(super) fn looked_for(&self) -> String {
        let radii = self.radii.map_or_else(String::new, |[min, max]| format!(" of radius {min:.1} to {max:.1} px"));
        let ratio = self.min_axis_ratio.filter(|_| self.radii.is_some());
        radii + &ratio.map_or_else(String::new, |ratio| format!(", axis ratio {ratio} to 1"))
    }
}

impl fmt::Display for FoundCircle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { x, y, radius, axes, angle } = self;
        write!(f, "centre ({x:.3}, {y:.3}), radius {radius:.3} px")?;
        let (Some([a, b]), Some(angle)) = (axes, angle) else { return Ok(()) };
        write!(f, ", half-axes {a:.3} and {b:.3} px at {:.1}°", angle.to_degrees())
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { circle: FoundCircle { x, y, radius, axes, .. }, evidence, share, reason } = self;
        write!(f, "centre ({x:.1}, {y:.1}), ")?;
        match axes {
            Some([a, b]) => write!(f, "half-axes {a:.1} and {b:.1} px")?,
            None => write!(f, "radius {radius:.1} px")?,
        }
        if let Some(evidence) = evidence {
            write!(f, ", evidence {evidence:.1}, edge on {:.0} %", 100.0 * share)?;
        }
        match reason {
            Some(reason) => write!(f, ": rejected, {reason}"),
            None => write!(f, ": found"),
        }
    }
}
