//! Gates: conditions on the report that decide the exit code.
//!
//! A [`Condition`] is `PATH OP NUMBER`, which `reader` reads. [`GivenGates`] are the conditions of one option, and
//! [`check`] refuses a path that the report does not have (`known`, `unknown`) before anything runs. `judge` compares a
//! figure of a report, as JSON, with the limit: it passes or fails only if its 95 % bound does, too. `early` finds
//! sessions that ended too soon, `lost` figures that a crash has lost, and `absent` says why a figure has no value.
//! [`Judge`] judges the sessions of a run and keeps the worst [`GateVerdict`]s; [`junit`] writes them for CI systems.

mod absent;
mod condition;
mod early;
mod given;
mod judge;
pub mod junit;
mod known;
mod lost;
mod needed;
mod path;
mod reader;
mod run;
#[cfg(test)]
mod simulation;
mod unknown;
mod verdict;
mod words;

pub use absent::reason;
pub use condition::{Condition, EXAMPLE, NotACondition};
pub(crate) use early::fell_short;
pub use given::GivenGates;
pub(crate) use judge::judge_figure;
pub use judge::{GateError, judge_report};
pub use known::check;
pub use run::Judge;
pub(crate) use unknown::unknown_in as unknown_figure;
pub(crate) use verdict::without_data;
pub use verdict::{GateVerdict, Verdict, Worst};
