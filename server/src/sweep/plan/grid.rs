//! A plan: its axes, and the trials that follow from them.

use std::path::{Path, PathBuf};

use super::axis::{Axis, AxisValue};
use super::pipeline::{Answerer, PipelinePlan};
use super::trial::{Trial, hash};
use crate::gate;
use crate::run::{Entry, NamedError, RunSpec, Template};
use crate::source;
use crate::sweep::error::SweepError;

/// Most trials of a plan. At 1 ms each they take three hours.
pub(in crate::sweep) const MAX_TRIALS: u64 = 10_000_000;

/// The one axis that is not an option of a run.
pub(super) const PIPELINE: &str = "pipeline";

/// Most cells that are checked before anything runs. In a larger plan, a sample spread over all cells is checked.
const CHECKED_CELLS: u64 = 500;

/// Options that have no effect without a link.
pub(in crate::sweep) const OF_THE_LINK: [&str; 9] =
    ["link", "window", "delivery", "encoding", "sctp_mtu", "loopback", "once", "wait", "let_clients_stop"];

/// Limits of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sweep) struct Budget {
    /// How long one call may run trials.
    pub(in crate::sweep) time: Option<std::time::Duration>,
    /// Failures in a row after which the sweep stops.
    pub(in crate::sweep) failures: u64,
}

/// A plan of trials.
#[derive(Clone, Debug)]
pub(in crate::sweep) struct Plan {
    pub(super) path: PathBuf,
    /// The text of the file.
    pub(in crate::sweep) text: String,
    pub(super) template: Template,
    /// The axes, in the order of the file. The last one varies fastest.
    pub(in crate::sweep) axes: Vec<Axis>,
    /// The pipeline.
    pub(in crate::sweep) pipeline: PipelinePlan,
    /// How often each cell is run, each time with another seed.
    pub(in crate::sweep) repeats: u64,
    /// Whether the frames of each trial are kept.
    pub(in crate::sweep) frames: bool,
    /// `latency` of the plan: whether latencies are results.
    pub(super) latency: bool,
    /// The limits.
    pub(in crate::sweep) budget: Budget,
    /// The seed of the first repeat.
    pub(super) seed: u64,
}

impl Plan {
    /// The file.
    pub(in crate::sweep) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of cells: combinations of values.
    pub(in crate::sweep) fn cells(&self) -> u64 {
        self.axes.iter().map(|axis| axis.values.len() as u64).product()
    }

    /// Number of trials.
    pub(in crate::sweep) fn trials(&self) -> u64 {
        self.cells() * self.repeats
    }

    /// The places of a trial's values on the axes.
    pub(in crate::sweep) fn places(&self, number: u64) -> Vec<usize> {
        let mut cell = number.saturating_sub(1) % self.cells();
        let mut places = vec![0; self.axes.len()];
        for (place, axis) in places.iter_mut().zip(&self.axes).rev() {
            let length = axis.values.len() as u64;
            *place = (cell % length) as usize;
            cell /= length;
        }
        places
    }

    /// The trial with this number, from 1. The cells come in the order of the axes, then all of them again for the next
    /// repeat.
    ///
    /// # Errors
    /// If its options cannot be combined.
    pub(in crate::sweep) fn trial(&self, number: u64) -> Result<Trial, SweepError> {
        let repeat = number.saturating_sub(1) / self.cells();
        let places = self.places(number);
        let values = self.axes.iter().zip(places).map(|(axis, place)| (axis.name.clone(), axis.values[place].clone()));
        let values: Vec<_> = values.collect();
        let options = values.iter().filter(|(name, _)| name != PIPELINE);
        let mut entries: Vec<Entry> = options.map(|(name, value)| value.entry(name)).collect();
        if !entries.iter().any(|entry| entry.id == "seed") {
            let seed = self.seed.wrapping_add(repeat).to_string();
            entries.push(Entry { id: "seed".into(), text: seed, is_switch: false });
        }
        let spec = self.template.with(&entries).map_err(|wrong| self.wrong(wrong.to_string()))?;
        let named = values.iter().find(|(name, _)| name == PIPELINE).map(|(_, value)| value.text.clone());
        let pipeline = named.unwrap_or_else(|| self.pipeline.name.clone());
        let text = self.specification(&spec, &entries, &pipeline);
        Ok(Trial { number, repeat, values, spec, pipeline, text })
    }

    /// Whether the option of an axis takes only whole numbers. It takes the number `one`, and a larger one.
    pub(in crate::sweep) fn takes_only_wholes(&self, axis: &str, one: f64) -> bool {
        let takes = |number: f64| self.template.check(&AxisValue::of_number(number).entry(axis)).is_ok();
        takes(one.floor()) && !takes(one.floor() + 0.5)
    }

    /// The trial of a cell with another value on one axis, and with the seed of this repeat: so many after the cell's seed.
    ///
    /// # Errors
    /// If the option does not take the value, or if the options cannot be combined.
    pub(in crate::sweep) fn trial_at(&self, cell: u64, axis: &str, x: f64, repeat: u64) -> Result<Trial, SweepError> {
        let mut trial = self.trial(cell)?;
        for (_, value) in trial.values.iter_mut().filter(|(name, _)| name == axis) {
            *value = AxisValue::of_number(x);
        }
        let options = trial.values.iter().filter(|(name, _)| name != PIPELINE);
        let mut entries: Vec<Entry> = options.map(|(name, value)| value.entry(name)).collect();
        // The cell may be one of a later repeat, or of an axis of seeds.
        let first = trial.seed().wrapping_sub(trial.repeat);
        entries.retain(|entry| entry.id != "seed");
        entries.push(Entry { id: "seed".into(), text: first.wrapping_add(repeat).to_string(), is_switch: false });
        for entry in &entries {
            self.template.check(entry).map_err(|wrong| self.wrong(wrong.to_string()))?;
        }
        trial.spec = self.template.with(&entries).map_err(|wrong| self.wrong(wrong.to_string()))?;
        trial.text = self.specification(&trial.spec, &entries, &trial.pipeline);
        Ok(Trial { repeat, ..trial })
    }

    /// The trial's specification as text. The module `trial` documents it.
    fn specification(&self, spec: &RunSpec, entries: &[Entry], pipeline: &str) -> String {
        let mut given: Vec<&str> = self.template.given().iter().map(String::as_str).collect();
        given.extend(entries.iter().map(|entry| entry.id.as_str()));
        given.sort_unstable();
        given.dedup();
        format!("plumb trial 1\n{}{}", spec.lines(given), self.pipeline.lines(pipeline))
    }

    /// The options of a trial's run that the plan gives, in the form of the command line.
    pub(in crate::sweep) fn arguments(&self, trial: &Trial) -> Vec<(String, String)> {
        let axes = trial.values.iter().map(|(name, _)| name.as_str()).filter(|name| *name != PIPELINE);
        let mut ids: Vec<_> = self.template.given().iter().map(String::as_str).chain(axes).chain(["seed"]).collect();
        ids.sort_unstable();
        ids.dedup();
        trial.spec.arguments(ids)
    }

    /// The name of the plan: a hash of everything that determines its trials and what is kept of them.
    pub(in crate::sweep) fn hash(&self) -> Result<String, SweepError> {
        let common = self.template.with(&[]).map_err(|wrong| self.wrong(wrong.to_string()))?;
        let given = self.template.given().iter().map(String::as_str);
        let mut text = format!("plumb sweep 1\n{}{}", common.lines(given), self.pipeline.lines(&self.pipeline.name));
        for axis in &self.axes {
            let values: Vec<_> = axis.values.iter().map(|value| format!("{:?}", value.text)).collect();
            text += &format!("axis {} = [{}]\n", axis.name, values.join(", "));
        }
        text += &format!("seed = {}\nrepeats = {}\nframes = {}\n", self.seed, self.repeats, self.frames);
        Ok(hash(&text))
    }

    /// The reason why latencies are results of this sweep, so that trials run one at a time. `None` if they are not.
    pub(in crate::sweep) fn latency_counts(&self) -> Option<&'static str> {
        let spec = self.template.with(&[]);
        let is_of_time = |path: &str| path.starts_with("latency_us") || path.starts_with("fps");
        let has_gate = spec.is_ok_and(|spec| spec.judged.conditions().iter().any(|gate| is_of_time(gate.path())));
        match (self.latency, self.pipeline.client.is_some(), has_gate) {
            (true, ..) => Some("the plan says latency = true"),
            (_, true, _) => Some("a client is started for each trial"),
            (_, _, true) => Some("a gate judges a latency or a rate"),
            _ => None,
        }
    }

    /// Checks what reading the file cannot show: pipelines, and combinations of options.
    ///
    /// # Errors
    /// [`SweepError`] names the first combination that cannot run.
    pub(in crate::sweep) fn check(&self) -> Result<(), SweepError> {
        let axis = self.axes.iter().find(|axis| axis.name == PIPELINE);
        let names = axis.map_or_else(
            || vec![self.pipeline.name.clone()],
            |axis| axis.values.iter().map(|value| value.text.clone()).collect(),
        );
        for name in names {
            self.pipeline.check(&name).map_err(|wrong| self.wrong(format!("[pipeline] {wrong}")))?;
        }
        let (cells, checked) = (self.cells(), self.cells().min(CHECKED_CELLS));
        for place in 0..checked {
            // The first and the last cell are among them.
            let cell = if checked > 1 { place * (cells - 1) / (checked - 1) } else { 0 };
            self.check_cell(cell + 1)?;
        }
        Ok(())
    }

    fn check_cell(&self, number: u64) -> Result<(), SweepError> {
        let trial = self.trial(number)?;
        let wrong = |wrong: String| self.wrong(format!("trial {number} ({}): {wrong}", trial.described()));
        let (spec, supply) = source::settled(trial.spec.clone()).map_err(|refused| wrong(refused.to_string()))?;
        gate::check(&spec.judged.conditions(), spec.sent.task.unwrap_or_default())
            .map_err(|refused| wrong(format!("gate: {refused}")))?;
        if let Some(refused) = spec.too_warm() {
            return Err(wrong(refused));
        }
        if supply.sets_the_pace() {
            return Err(wrong("a camera cannot send the same frames again: choose another source".into()));
        }
        if let Answerer::Named(name) = self.pipeline.answerer(&trial.pipeline) {
            let choice = client::pipeline::PipelineChoice::new(&name, self.pipeline.options());
            let task = spec.sent.task.unwrap_or_default();
            choice.and_then(|choice| choice.for_task(task.name())).map_err(|refused| wrong(refused.to_string()))?;
        }
        Ok(())
    }

    /// An error of this plan.
    pub(in crate::sweep) fn wrong(&self, reason: impl Into<String>) -> SweepError {
        SweepError::Plan { path: self.path.clone(), reason: reason.into() }
    }
}

impl From<NamedError> for SweepError {
    fn from(wrong: NamedError) -> Self {
        match wrong {
            NamedError::File(file) => Self::File(file),
            other => Self::Usage(other.to_string()),
        }
    }
}
