//! Samples: the figures of each run of a contender, and their medians.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::contenders::Contender;
use crate::counting::Allocations;
use crate::error::RunError;

/// Figures of one run.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Answered frames per second.
    pub(crate) frames_per_s: f64,
    /// Median latency.
    pub(crate) p50_us: f64,
    /// 99th percentile of the latency.
    pub(crate) p99_us: f64,
    /// Median time to the client plus median time of the answer's way back, without detection and queues. For contenders
    /// that measure no stages `None`.
    pub(crate) network_us: Option<f64>,
    /// Cores that source and sink used: 1 is one core all the time. If both are one process, the first figure is for
    /// both.
    pub(crate) cores: [Option<f64>; 2],
    /// Time from the start of the sink's process to the first answered frame.
    pub(crate) start: Duration,
    /// Bytes on the wire per byte of pixels; below 1 for lossless encodings that save bytes.
    pub(crate) wire_share: f64,
    /// Allocations at the source, per frame.
    pub(crate) allocations: Option<Allocations>,
}

impl Sample {
    /// Processor time per frame at each end, in µs.
    pub(crate) fn cpu_us(&self) -> [Option<f64>; 2] {
        self.cores.map(|cores| Some(1e6 * cores? / self.frames_per_s))
    }
}

/// All runs by contender, in the order of the rounds.
#[derive(Debug, Default)]
pub(crate) struct Samples(BTreeMap<String, Vec<Result<Sample, String>>>);

impl Samples {
    /// Adds a run, or the error of a run that failed.
    pub(crate) fn add(&mut self, contender: &Contender, run: Result<Sample, RunError>) {
        let run = run.map_err(|error| error.to_string());
        if let Err(error) = &run {
            eprintln!("    {error}");
        }
        self.0.entry(contender.full_name()).or_default().push(run);
    }

    /// The first error of a contender whose runs all failed.
    pub(crate) fn failure(&self, contender: &Contender) -> Option<&str> {
        let runs = self.0.get(&contender.full_name())?;
        let failures: Option<Vec<_>> = runs.iter().map(|run| run.as_ref().err()).collect();
        failures?.first().map(|text| text.as_str())
    }

    /// The median of a figure over all runs.
    pub(crate) fn median(&self, contender: &Contender, figure: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        let runs = self.0.get(&contender.full_name())?;
        median(runs.iter().flatten().filter_map(figure).collect())
    }

    /// The median over all rounds of the ratio of a figure to another contender's. A disturbance of a round slows both,
    /// so it affects the ratio less.
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

/// The median: the middle value, or the mean of the middle two.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[last.div_ceil(2)]))
}
