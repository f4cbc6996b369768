//! Reads a plan's file.

use std::path::Path;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::axis::Axis;
use super::grid::{Budget, MAX_TRIALS, OF_THE_LINK, PIPELINE, Plan};
use super::pipeline::PipelinePlan;
use crate::run::number::whole;
use crate::run::{Entry, Template, entries, read_text, syntax};
use crate::sweep::error::SweepError;

/// Failures in a row after which a sweep stops, unless the plan says otherwise.
const FAILURES: u64 = 10;

/// Seed of the first repeat, unless the plan names one. It is fixed, so that all machines run the same trials.
const SEED: u64 = 1;

/// The keys of a plan, for messages.
const KEYS: &str = "[run], [axes], [pipeline], [budget], repeats, frames and latency";

impl Plan {
    /// Reads a plan's file.
    ///
    /// # Errors
    /// [`SweepError`] names the file, the key, what was wrong and what would be right.
    pub(in crate::sweep) fn read(path: &Path) -> Result<Self, SweepError> {
        Self::of_text(path, read_text("PLAN", path)?)
    }

    /// Reads the text of a plan's file.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(in crate::sweep) fn of_text(path: &Path, text: String) -> Result<Self, SweepError> {
        let parsed = DeTable::parse(&text).map_err(|error| syntax(path, &text, &error))?.into_inner();
        let mut plan = Self::of_table(path, &parsed)?;
        plan.text = text;
        Ok(plan)
    }

    /// Reads a plan from its table.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(in crate::sweep) fn of_table(path: &Path, table: &DeTable<'_>) -> Result<Self, SweepError> {
        let refused = |reason: String| SweepError::Plan { path: path.into(), reason };
        read(path, table).map_err(|wrong| match wrong {
            Wrong::Reason(reason) => refused(reason),
            Wrong::Other(other) => other,
        })
    }
}

/// Why a plan was refused.
enum Wrong {
    Reason(String),
    Other(SweepError),
}

impl From<String> for Wrong {
    fn from(reason: String) -> Self {
        Self::Reason(reason)
    }
}

fn read(path: &Path, table: &DeTable<'_>) -> Result<Plan, Wrong> {
    let known = ["run", "axes", "pipeline", "budget", "repeats", "frames", "latency"];
    if let Some(key) = table.keys().map(toml::Spanned::get_ref).find(|key| !known.contains(&key.as_ref())) {
        return Err(format!("\"{key}\" is not a key of a plan: it has {KEYS}; options of the run are in [run]").into());
    }
    let empty = DeTable::new();
    let part = |key| part(table, key).map(|found| found.unwrap_or(&empty));
    let pipeline = PipelinePlan::read(part("pipeline")?)?;
    let common = common(part("run")?)?;
    let template = Template::new(&common).map_err(|wrong| match SweepError::from(wrong) {
        SweepError::Usage(reason) => Wrong::Reason(format!("[run] {reason}")),
        other => Wrong::Other(other),
    })?;
    let axes = axes(part("axes")?, &template, &pipeline)?;
    let repeats = repeats(table, &axes)?;
    let seed = common.iter().find(|entry| entry.id == "seed").and_then(|entry| entry.text.parse().ok());
    let switch = |key: &str| match table.get(key).map(toml::Spanned::get_ref) {
        None => Ok(false),
        Some(DeValue::Boolean(is_on)) => Ok(*is_on),
        Some(_) => Err(format!("{key} is true or false")),
    };
    let plan = Plan {
        path: path.into(),
        text: String::new(),
        template,
        axes,
        pipeline,
        repeats,
        frames: switch("frames")?,
        latency: switch("latency")?,
        budget: budget(part("budget")?)?,
        seed: seed.unwrap_or(SEED),
    };
    check_size(&plan)?;
    check_run(&plan)?;
    Ok(plan)
}

fn part<'a, 'b>(table: &'a DeTable<'b>, key: &str) -> Result<Option<&'a DeTable<'b>>, String> {
    match table.get(key).map(toml::Spanned::get_ref) {
        None => Ok(None),
        Some(DeValue::Table(part)) => Ok(Some(part)),
        Some(_) => Err(format!("{key} is a table: write [{key}], and its keys below")),
    }
}

/// The options that all trials share.
fn common(table: &DeTable<'_>) -> Result<Vec<Entry>, String> {
    let common = entries(table).map_err(|wrong| format!("[run] {wrong}"))?;
    twice(common.iter().map(|entry| entry.id.as_str()), "[run]")?;
    Ok(common)
}

/// Refuses a name that is given both with `_` and with `-`.
fn twice<'a>(ids: impl Iterator<Item = &'a str>, place: &str) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(format!(
                "{place} {id} is given twice, as {id} and as {}: leave one of them out",
                id.replace('_', "-")
            ));
        }
    }
    Ok(())
}

fn axes(table: &DeTable<'_>, template: &Template, pipeline: &PipelinePlan) -> Result<Vec<Axis>, String> {
    let mut found: Vec<_> = table.iter().collect();
    found.sort_by_key(|(key, _)| key.span().start);
    let ids: Vec<_> = found.iter().map(|(key, _)| key.get_ref().replace('-', "_")).collect();
    twice(ids.iter().map(String::as_str), "[axes]")?;
    let mut axes = Vec::new();
    for ((key, value), id) in found.iter().zip(&ids) {
        check_axis(id, template, pipeline)?;
        let check = |entry: &Entry| match id.as_str() {
            PIPELINE => Ok(()),
            _ => template.check(entry).map_err(|wrong| {
                let wrong = wrong.to_string();
                wrong.strip_prefix(&format!("{id}: ")).map_or(wrong.clone(), str::to_owned)
            }),
        };
        axes.push(Axis::read(key.get_ref(), value.get_ref(), &check)?);
    }
    Ok(axes)
}

/// Refuses an option that cannot be an axis of this plan.
fn check_axis(id: &str, template: &Template, pipeline: &PipelinePlan) -> Result<(), String> {
    if template.given().contains(id) {
        return Err(format!("{id} is in [run] and in [axes]: leave it out of one of them"));
    }
    if id == PIPELINE {
        let is_named = *pipeline != PipelinePlan { name: PipelinePlan::default().name, ..pipeline.clone() };
        return match (is_named, pipeline.client.is_some()) {
            (true, _) => Err("pipeline is an axis, and [pipeline] has a name: leave one of them out".into()),
            (_, true) => {
                Err("pipeline is an axis, but the client of [pipeline] chooses its own pipeline: leave one of them \
                     out"
                .into())
            }
            _ => Ok(()),
        };
    }
    if ["camera", "meta", "meta_file", "gate", "duration"].contains(&id) {
        return Err(format!("[axes] {id} cannot be an axis: write it into [run]"));
    }
    if OF_THE_LINK.contains(&id) && pipeline.client.is_none() {
        return Err(format!(
            "[axes] {id} has no effect without a link, because the trials run in this process: start a client with \
             [pipeline] client = \"client\", or leave it out"
        ));
    }
    let name = Entry { id: id.into(), text: String::new(), is_switch: false };
    match template.check(&name) {
        Err(wrong) if wrong.to_string().contains("is not an option") => Err(format!("[axes] {wrong}")),
        _ => Ok(()),
    }
}

fn repeats(table: &DeTable<'_>, axes: &[Axis]) -> Result<u64, String> {
    let repeats = table.get("repeats").map_or(Ok(1), |value| from_one("repeats", value.get_ref()))?;
    if repeats > 1 && axes.iter().any(|axis| axis.name == "seed") {
        return Err("repeats increments the seed, but seed is an axis: leave one of them out".into());
    }
    Ok(repeats)
}

/// A whole number from 1.
fn from_one(key: &str, value: &DeValue<'_>) -> Result<u64, String> {
    let number = whole(value).and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0);
    number.ok_or_else(|| format!("{key} is a whole number from 1"))
}

fn budget(table: &DeTable<'_>) -> Result<Budget, String> {
    let mut budget = Budget { time: None, failures: FAILURES };
    for (key, value) in table {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("time", value) => budget.time = Some(time(value)?),
            ("failures", value) => budget.failures = from_one("[budget] failures", value)?,
            (other, _) => return Err(format!("[budget] {other} is not known: write time or failures")),
        }
    }
    Ok(budget)
}

fn time(value: &DeValue<'_>) -> Result<Duration, String> {
    let time = value.as_str().and_then(|text| humantime::parse_duration(text).ok());
    time.filter(|time| !time.is_zero()).ok_or_else(|| "[budget] time is a duration, such as \"30m\"".into())
}

fn check_size(plan: &Plan) -> Result<(), String> {
    let lengths = plan.axes.iter().map(|axis| axis.values.len() as u128);
    let trials = lengths.fold(u128::from(plan.repeats), u128::saturating_mul);
    if trials <= u128::from(MAX_TRIALS) {
        return Ok(());
    }
    Err(format!(
        "{trials} trials are more than {MAX_TRIALS}: use fewer values, or {{ random = [FROM, TO], count = N }}, or several \
         plans"
    ))
}

/// Refuses a run that has no end, or whose end depends on the machine's speed.
fn check_run(plan: &Plan) -> Result<(), String> {
    let has_axis = |id: &str| plan.axes.iter().any(|axis| axis.name == id);
    let spec = plan.template.with(&[]).map_err(|wrong| wrong.to_string())?;
    if spec.sent.duration.is_some() {
        return Err("[run] duration: the number of frames would depend on the machine, so write frames instead".into());
    }
    if spec.sent.frames.is_none() && !has_axis("frames") {
        return Err("[run] frames is missing: say how many frames a trial has, such as frames = 100".into());
    }
    let is_in_process = plan.pipeline.client.is_none();
    if is_in_process && spec.delivered.encoding.is_lossy() {
        return Err("[run] encoding has no effect without a link: use jpeg, which is an effect of the camera, or a \
                    client"
            .into());
    }
    Ok(())
}
