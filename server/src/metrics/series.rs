//! Labels of the series, and limits of the histograms.

use prometheus_client::encoding::EncodeLabelSet;

use crate::gate::Verdict;
use crate::session::End;

/// Upper limits of latencies, in s: three per decade, from the time of an encoding to that of a frame that waits for a
/// slow pipeline.
pub(super) const LATENCY_LIMITS: [f64; 16] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Upper limits of errors, in px: from the smallest error of a frame without noise to that of a wrong circle.
pub(super) const ERROR_LIMITS: [f64; 15] =
    [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 100.0];

/// Each verdict with its name.
pub(super) const VERDICTS: [(Verdict, &str); 4] = [
    (Verdict::Pass, "pass"),
    (Verdict::Inconclusive, "inconclusive"),
    (Verdict::NoData, "no_data"),
    (Verdict::Fail, "fail"),
];

/// One label with one of its fixed values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Label([(&'static str, &'static str); 1]);

impl Label {
    pub(super) fn new(name: &'static str, value: &'static str) -> Self {
        Self([(name, value)])
    }
}

impl EncodeLabelSet for Label {
    fn encode(&self, encoder: &mut prometheus_client::encoding::LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.encode(encoder)
    }
}

/// The labels of a gate's verdict.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfGate {
    pub(super) condition: String,
    pub(super) verdict: &'static str,
}

/// The ways in which a session can end after its client has said hello.
pub(super) const ENDS: [&str; 5] = ["finished", "stopped", "client_left", "client_gone", "source_failed"];

/// The name of a session's end, as `end.kind` of the report.
pub(super) fn end_name(end: &End) -> &'static str {
    match end {
        End::Finished => "finished",
        End::Stopped => "stopped",
        End::ClientLeft { .. } => "client_left",
        End::ClientGone { .. } => "client_gone",
        End::SourceFailed { .. } => "source_failed",
        End::Running => "running",
        End::BrokenOff => "broken_off",
        End::Rejected { .. } => "rejected",
    }
}
