//! `--find`: where along an axis a condition ceases to hold.
//!
//! `search` decides which values of the axis are tried, and with how many seeds. It is pure: this file runs the trials,
//! once for each combination of the other axes. `samples` keeps their figures, so that a search that was stopped goes on
//! from there.

mod fit;
mod samples;
mod search;

use std::path::Path;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;
use shared::shell::exit::Exit;
use shared::shell::stop::Stopper;
use shared::text::Escaped;
use tracing::info;

use self::samples::Samples;
use self::search::{Found, Sampled, Search};
use super::error::SweepError;
use super::marks::Measure;
use super::plan::Plan;
use super::trial::{Given, Pipelines, TrialError, evaluated};
use crate::gate::{self, Condition};
use crate::output::part::put;
use crate::task::TaskName;

/// The file with the results.
const FILE: &str = "find.json";

/// Counts that may be larger than `frames.sent`, because they count something else (`docs/report.md`).
const BESIDE: [&str; 4] = ["frames.duplicate", "frames.invalid", "frames.skipped", "frames.warmup"];

/// The result for one combination of the other axes.
#[derive(Debug, Serialize)]
struct Line {
    /// The values on the other axes.
    at: Vec<(String, String)>,
    #[serde(flatten)]
    found: Found,
}

/// Looks for the place where `condition` ceases to hold along `axis`, and writes what it found.
///
/// # Errors
/// If the condition or the axis does not suit the plan, or if a trial fails.
pub(super) fn run(plan: &Plan, condition: &str, axis: &str, out: &Path, stopper: &Stopper) -> Result<Exit, SweepError> {
    let condition = known(plan, condition)?;
    let axis = axis.replace('-', "_");
    let place = plan.axes.iter().position(|one| one.name == axis).ok_or_else(|| no_axis(plan, &axis))?;
    let numbers = plan.axes[place].numbers().filter(|numbers| numbers.len() > 1);
    let numbers = numbers.ok_or_else(|| plan.wrong(format!("[axes] {axis}: --along needs two numbers or more")))?;
    if axis == "seed" {
        return Err(SweepError::Usage("--along seed: a search chooses its seeds itself, so name another axis".into()));
    }
    if plan.pipeline.client.is_some() {
        return Err(SweepError::Usage("--find runs its trials in this process: leave [pipeline] client out".into()));
    }
    let ends =
        numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), one| (low.min(*one), high.max(*one)));
    let is_whole = plan.takes_only_wholes(&axis, ends.0);
    let mut trials = Trials {
        plan,
        axis: &axis,
        condition: &condition,
        samples: Samples::open(out)?,
        pipelines: Pipelines::default(),
        stopper,
    };
    let mut lines = Vec::new();
    for number in (1..=plan.cells()).filter(|number| plan.places(*number)[place] == 0) {
        let trial = plan.trial(number)?;
        let at: Vec<_> = trial.values.iter().filter(|(name, _)| *name != axis).collect();
        let at: Vec<_> = at.into_iter().map(|(name, value)| (name.clone(), value.text.clone())).collect();
        let mut sample = |x: f64, repeat: u64| trials.sample(number, x, repeat);
        let search = Search::new(ends, condition.limit(), condition.is_upper());
        let search = if is_whole { search.among_wholes() } else { search };
        let found = search.run(&mut sample)?;
        super::say(&described(&condition, &axis, &at, &found))?;
        lines.push(Line { at, found });
    }
    write(out, &lines)?;
    Ok(Exit::Fine)
}

/// The condition with the whole path of its figure: `missed` stands for `frames.missed`.
fn known(plan: &Plan, text: &str) -> Result<Condition, SweepError> {
    let usage = |wrong: String| SweepError::Usage(format!("--find: {wrong}"));
    let task = plan.trial(1)?.spec.sent.task.unwrap_or_default();
    searchable(text, task).map_err(usage)
}

/// A condition for which settings can be searched. `missed` stands for `frames.missed`.
///
/// # Errors
/// What was wrong and what would be right.
pub(super) fn searchable(text: &str, task: TaskName) -> Result<Condition, String> {
    let usage = |wrong: String| wrong;
    let path = text.trim_start().split(|one: char| !one.is_alphanumeric() && one != '_' && one != '.').next();
    let is_whole = path.is_some_and(|path| path.contains('.'));
    let whole = if is_whole { text.to_owned() } else { format!("frames.{}", text.trim_start()) };
    let condition = Condition::from_str(&whole).map_err(|wrong| usage(wrong.to_string()))?;
    gate::check(std::slice::from_ref(&condition), task).map_err(usage)?;
    let path = condition.path();
    let is_count = path.starts_with("frames.") && !path.ends_with("_rate") && !condition.wants_share();
    if condition.wants_share() && BESIDE.contains(&path) {
        return Err(usage(format!(
            "{condition}: {path} is no share of the frames sent, because it counts something else: name a count of frames, \
             such as frames.lost"
        )));
    }
    match (condition.is_exact(), is_count) {
        (true, _) => Err(usage(format!("cannot search for {condition}: compare with <= or >="))),
        (_, true) => Err(usage(format!(
            "{condition} compares a number of frames, but a search has no fixed number of them: \
             write a share, in %"
        ))),
        _ => Ok(condition),
    }
}

fn no_axis(plan: &Plan, axis: &str) -> SweepError {
    let names: Vec<_> = plan.axes.iter().map(|axis| axis.name.as_str()).collect();
    plan.wrong(format!("--along {axis} is not an axis of the plan, which has {}", names.join(", ")))
}

/// The trials of a search.
struct Trials<'a> {
    plan: &'a Plan,
    axis: &'a str,
    condition: &'a Condition,
    samples: Samples,
    pipelines: Pipelines,
    stopper: &'a Stopper,
}

impl Trials<'_> {
    /// The figure of the trial of this cell with this value on the axis: from an earlier search, or else of a run.
    fn sample(&mut self, number: u64, x: f64, repeat: u64) -> Result<Sampled, SweepError> {
        let trial = self.plan.trial_at(number, self.axis, x, repeat)?;
        let (id, figure) = (trial.id(), self.condition.path());
        if let Some(known) = self.samples.get(&id, figure) {
            return Ok(known);
        }
        let given = Given { plan: self.plan, trial: &trial, stopper: self.stopper };
        let evaluated = evaluated(&given, &mut self.pipelines, None).map_err(|wrong| match wrong {
            TrialError::Stopped => {
                SweepError::Stopped("stopped before the place was found: the same command goes on from here".into())
            }
            other => SweepError::Stopped(format!("{} {x}, seed {}: {other}", self.axis, trial.seed())),
        })?;
        let report: Value = serde_json::from_str(&evaluated.report).unwrap_or_default();
        let sampled = read(self.condition, &report["sessions"][0]);
        self.samples.keep(&id, figure, sampled)?;
        Ok(sampled)
    }
}

/// The figure of a condition in the report of a session. Without a circle there is no error, so the condition on it does
/// not hold.
fn read(condition: &Condition, session: &Value) -> Sampled {
    let value = condition.path().split('.').try_fold(session, |value, name| value.get(name)).and_then(Value::as_f64);
    let sent = session["frames"]["sent"].as_u64().unwrap_or_default();
    let measure = match value {
        Some(hits) if condition.wants_share() => Measure::of_counts(hits as u64, sent),
        Some(value) => {
            let bound = &session["bounds"][condition.path()];
            let ends = bound["low"].as_f64().zip(bound["high"].as_f64());
            ends.and_then(|(low, high)| Measure::of_bounds(value, low, high, sent as f64))
        }
        None => None,
    };
    Sampled { measure, frames: sent }
}

fn described(condition: &Condition, axis: &str, at: &[(String, String)], found: &Found) -> String {
    let place: String = at.iter().map(|(name, text)| format!("{name} {}, ", Escaped(text))).collect();
    let effort = format!("{} frames in {} trials", found.frames, found.trials);
    match (found.holds_at_all, found.place) {
        (Some(true), _) => format!("{place}{condition} holds at all values of {axis} ({effort})"),
        (Some(false), _) => format!("{place}{condition} holds at no value of {axis} ({effort})"),
        (None, Some([value, low, high])) => {
            format!("{place}{condition} holds up to {axis} {value:.4} (95 %: {low:.4} to {high:.4}; {effort})")
        }
        (None, None) => {
            format!("{place}{condition} ceases to hold somewhere along {axis}, but not at one place ({effort})")
        }
    }
}

fn write(out: &Path, lines: &[Line]) -> Result<(), SweepError> {
    let path = out.join(FILE);
    // Names, texts and finite numbers always have a JSON form.
    let text = shared::json::to_string_pretty(lines).unwrap_or_default() + "\n";
    put(out, FILE, &text).map_err(SweepError::at(&path))?;
    info!("wrote {}", Escaped(path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_may_exceed_the_frames_sent_is_no_share_of_them() {
        let task = TaskName::default();
        for path in BESIDE {
            let wrong = searchable(&format!("{path} <= 50%"), task).unwrap_err();
            assert!(
                wrong.contains("is no share of the frames sent") && wrong.contains("such as frames.lost"),
                "{wrong}"
            );
        }
        assert!(searchable("missed <= 50%", task).is_ok() && searchable("frames.lost_rate <= 0.5", task).is_ok());
    }

    #[test]
    fn a_result_that_cannot_be_written_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let line = || Line { at: vec![("blur".into(), "1".into())], found: Found::default() };
        write(folder.path(), &[line()]).unwrap();
        let before = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(before.contains("\"blur\""), "{before}");
        // A second name of the file shows whether it was written to.
        std::fs::hard_link(folder.path().join(FILE), folder.path().join("other")).unwrap();
        write(folder.path(), &[]).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("other")).unwrap(), before);
        assert_eq!(std::fs::read_to_string(folder.path().join(FILE)).unwrap(), "[]\n");
    }
}
