//! What one run of a contender gives, and the medians of several.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::contenders::Contender;
use crate::counting::Allocations;
use crate::error::RunError;

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Answered frames a second.
    pub(crate) frames_per_s: f64,
    /// Latency.
    pub(crate) p50_us: f64,
    /// The same, of one in a hundred.
    pub(crate) p99_us: f64,
    /// Cores that source and sink used: 1 is one core, always. Where both are one process, the source's are those of both.
    pub(crate) cores: [Option<f64>; 2],
    /// Start of the sink's process → first frame answered.
    pub(crate) start: Duration,
    /// Bytes on the wire for a byte of pixels; of lossless encodings under 1.
    pub(crate) wire_share: f64,
    /// Allocations at the source, a frame.
    pub(crate) allocations: Option<Allocations>,
}

impl Sample {
    /// Processor time for a frame at either end, in µs.
    pub(crate) fn cpu_us(&self) -> [Option<f64>; 2] {
        self.cores.map(|cores| Some(1e6 * cores? / self.frames_per_s))
    }
}

/// All runs, by contender, in the order of rounds.
#[derive(Debug, Default)]
pub(crate) struct Samples(BTreeMap<String, Vec<Result<Sample, String>>>);

impl Samples {
    /// Keeps a run, or why there is none.
    pub(crate) fn add(&mut self, contender: &Contender, run: Result<Sample, RunError>) {
        let run = run.map_err(|error| error.to_string());
        if let Err(error) = &run {
            eprintln!("    {error}");
        }
        self.0.entry(contender.full_name()).or_default().push(run);
    }

    /// Why a contender gave nothing, if it never did.
    pub(crate) fn failure(&self, contender: &Contender) -> Option<&str> {
        let runs = self.0.get(&contender.full_name())?;
        let failures: Option<Vec<_>> = runs.iter().map(|run| run.as_ref().err()).collect();
        failures?.first().map(|text| text.as_str())
    }

    /// The median of a figure.
    pub(crate) fn median(&self, contender: &Contender, figure: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        let runs = self.0.get(&contender.full_name())?;
        median(runs.iter().flatten().filter_map(figure).collect())
    }

    /// The median of the rounds' ratios of a figure to another contender's: what slows a round down slows both.
    pub(crate) fn ratio(
        &self,
        contender: &Contender,
        other: &Contender,
        figure: impl Fn(&Sample) -> f64,
    ) -> Option<f64> {
        let [ours, theirs] = [contender, other].map(|contender| self.0.get(&contender.full_name()));
        let both = ours?.iter().zip(theirs?).filter_map(|(ours, theirs)| ours.as_ref().ok().zip(theirs.as_ref().ok()));
        median(both.map(|(ours, theirs)| figure(ours) / figure(theirs)).collect())
    }
}

/// The middle; of an even number the mean of the middle two.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[last.div_ceil(2)]))
}
