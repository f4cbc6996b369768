//! The lines of a journal: the first one names the plan, and each further one is a block.

use serde::{Deserialize, Serialize};

use super::Known;
use crate::sweep::single::MOST_FRAMES;
use crate::tune::core::goal::{Figure, Sample};
use crate::tune::core::results::Seeds;
use crate::tune::plan::Plan;

/// The first line of a journal of this plan.
pub(super) fn head(plan: &Plan) -> String {
    line(&Head { plan: plan.name.clone(), version: env!("CARGO_PKG_VERSION").into() })
}

/// The line of a block.
pub(super) fn block(setting: String, seeds: Seeds, block: u32, sample: &Sample, reason: Option<String>) -> String {
    line(&Line { setting, held_out: seeds == Seeds::HeldOut, block, sample: sample.into(), reason })
}

/// Notes the block of a line.
///
/// # Errors
/// Why it is no block of a plan with this many conditions.
pub(super) fn note(line: &str, conditions: usize, known: &mut Known) -> Result<(), String> {
    let line: Line = serde_json::from_str(line).map_err(|wrong| wrong.to_string())?;
    line.sample.check(conditions)?;
    let seeds = if line.held_out { Seeds::HeldOut } else { Seeds::Search };
    known.failures.extend(line.reason.map(|reason| (line.setting.clone(), reason)));
    known.results.note_key(line.setting, seeds, line.block, line.sample.into());
    Ok(())
}

#[derive(Serialize)]
struct Head {
    plan: String,
    version: String,
}

#[derive(Deserialize, Serialize)]
struct Line {
    setting: String,
    held_out: bool,
    block: u32,
    sample: Kept,
    /// Why the pipeline failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Failed,
    Measured { objective: f64, limits: Vec<Number>, time_us: Option<f64>, frames: u64 },
}

#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Number {
    Share { hits: u64, all: u64 },
    Value(f64),
}

impl Kept {
    /// Checks that somebody else did not change it into something that no block has.
    fn check(&self, conditions: usize) -> Result<(), String> {
        let Self::Measured { limits, frames, .. } = self else { return Ok(()) };
        let is_share = |number: &Number| match number {
            Number::Share { hits, all } => hits <= all && *all <= MOST_FRAMES,
            Number::Value(_) => true,
        };
        if limits.len() != conditions {
            return Err(format!("it has {} figures for {conditions} conditions", limits.len()));
        }
        if *frames > MOST_FRAMES || !limits.iter().all(is_share) {
            return Err("it has more frames than a block".into());
        }
        Ok(())
    }
}

fn line(value: &impl Serialize) -> String {
    // Texts and finite numbers always have a JSON form.
    shared::json::to_string(value).unwrap_or_default() + "\n"
}

impl From<Kept> for Sample {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Failed => Self::Failed,
            Kept::Measured { objective, limits, time_us, frames } => {
                let figure = |number: Number| match number {
                    Number::Share { hits, all } => Figure::Share { hits, all },
                    Number::Value(value) => Figure::Value(value),
                };
                Self::Measured { objective, limits: limits.into_iter().map(figure).collect(), time_us, frames }
            }
        }
    }
}

impl From<&Sample> for Kept {
    fn from(sample: &Sample) -> Self {
        match sample {
            Sample::Failed => Self::Failed,
            Sample::Measured { objective, limits, time_us, frames } => {
                let number = |figure: &Figure| match *figure {
                    Figure::Share { hits, all } => Number::Share { hits, all },
                    Figure::Value(value) => Number::Value(value),
                };
                let limits = limits.iter().map(number).collect();
                Self::Measured { objective: *objective, limits, time_us: *time_us, frames: *frames }
            }
        }
    }
}
