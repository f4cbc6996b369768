//! The result of a comparison, as `--json` writes it.

use serde::Serialize;
use serde_json::Value;

use super::difference::Difference;
use super::estimate::{Estimate, Ratio};
use crate::gate::GateVerdict;

/// The version of this format.
const SCHEMA: u32 = 1;

/// The result of a comparison.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    /// Version of this format.
    pub(super) schema: u32,
    /// Version of the server.
    pub(super) version: &'static str,
    /// The runs. The others are compared with the first.
    pub(super) runs: Vec<Run>,
    /// One comparison for each run except the first.
    pub(super) comparisons: Vec<Comparison>,
    /// Figures that are not judged.
    pub(super) listed: Vec<Listed>,
    /// Figures by subset; empty without `--by`.
    pub(super) subsets: Vec<Subset>,
    /// The verdicts on the gates.
    pub(super) gates: Vec<GateVerdict>,
    /// Notes for the reader, such as runs that were skipped.
    pub(super) notes: Vec<String>,
}

/// A run.
#[derive(Debug, Serialize)]
pub(super) struct Run {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) seed: Option<u64>,
    pub(super) client: Option<String>,
    pub(super) session: u64,
    pub(super) frames: u64,
    pub(super) notes: Vec<String>,
}

/// A run, B, compared with another one, A.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    pub(super) a: String,
    pub(super) b: String,
    /// Why the frames are not paired; `null` if they are.
    pub(super) unpaired_because: Option<String>,
    /// Frames that are paired.
    pub(super) paired_frames: usize,
    /// Frames that only one of the runs has.
    pub(super) only_in_a: usize,
    pub(super) only_in_b: usize,
    /// Rounds in which latencies were measured; 0 if they were not.
    pub(super) rounds: usize,
    /// Options of the run that differ.
    pub(super) options: Vec<Differs>,
    pub(super) figures: Vec<Compared>,
    /// Figures that are shown to be worse.
    pub(super) worse: usize,
    /// Figures that are shown to be better.
    pub(super) better: usize,
}

/// An option that differs.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Differs {
    pub(super) name: String,
    pub(super) a: Value,
    pub(super) b: Value,
}

/// The verdict on a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Better,
    Worse,
    NoDifferenceShown,
}

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    Px,
    Us,
    /// A share of the frames, from 0 to 1.
    Share,
    Other,
}

/// A figure that is compared.
#[derive(Debug, Serialize)]
pub(super) struct Compared {
    pub(super) path: String,
    pub(super) unit: Unit,
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) difference: f64,
    /// One-sided 95 % bounds of the difference.
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) ratio: Option<Ratio>,
    /// Number of frames, or rounds, that were compared.
    pub(super) samples: u64,
    /// The smaller p-value of the two directions, corrected for all figures.
    pub(super) p: f64,
    pub(super) verdict: Verdict,
}

/// A figure that is not judged.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Listed {
    pub(super) path: String,
    /// Its value in each run.
    pub(super) values: Vec<Option<f64>>,
}

/// The figures of a subset of the frames in each run.
#[derive(Debug, Serialize)]
pub(super) struct Subset {
    /// The property by which the frames are grouped.
    pub(super) by: &'static str,
    /// The subset, such as `10 to 16 px`.
    pub(super) bin: String,
    pub(super) path: &'static str,
    pub(super) unit: Unit,
    /// Its value and bounds in each run; `null` without a frame.
    pub(super) runs: Vec<Option<OfSubset>>,
}

/// A figure of a subset in one run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct OfSubset {
    pub(super) value: f64,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) frames: u64,
}

impl Found {
    /// Nothing compared yet.
    pub(super) fn new(notes: Vec<String>) -> Self {
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            runs: Vec::new(),
            comparisons: Vec::new(),
            listed: Vec::new(),
            subsets: Vec::new(),
            gates: Vec::new(),
            notes,
        }
    }
}

impl Unit {
    /// The unit of the figure with this path. `is_share` tells whether it is a share of the frames.
    pub(super) fn of(path: &str, is_share: bool) -> Self {
        match path.split('.').next() {
            _ if is_share => Self::Share,
            // These are ratios, although their paths are among the errors.
            _ if path.ends_with(".efficiency") || path.ends_with(".nees") => Self::Other,
            Some("error_px") => Self::Px,
            Some("latency_us") => Self::Us,
            _ => Self::Other,
        }
    }
}

impl Compared {
    /// A figure with its verdict.
    pub(super) fn new(path: &str, unit: Unit, difference: Difference, p: f64, verdict: Verdict) -> Self {
        let Difference { a, b, estimate } = difference;
        let Estimate { difference, low, high, ratio, samples, .. } = estimate;
        Self { path: path.to_owned(), unit, a, b, difference, low, high, ratio, samples, p, verdict }
    }
}

impl Verdict {
    /// The verdict in words.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoDifferenceShown => "no difference shown",
        }
    }
}
