//! Tasks: what is asked of the pipeline, and how its answer is scored.
//!
//! A [`Task`] is stateless: its name, its columns, how one frame is shown. Its [`Scorer`] gathers one session: it reads
//! an answer's payload, scores it against the truth and sums up. What every task shares (outcome, latency, bytes)
//! stands in [`crate::score`]; outputs take names and values from [`Task::columns`] and [`TaskFigures`], so they know
//! no task.
//!
//! To add a task: one file here, its line in `name::TASKS`, its rows in `docs/protocol.md` and `docs/report.md`.

mod ack;
pub mod circle;
mod figures;
mod name;
mod schema1;
mod seam;

pub use figures::{Figure, TaskFigures, Tone};
pub use name::{TaskName, UnknownTask};
pub use schema1::{Bias, CircleCounts, ErrorFigures, L1Figures, L2Figures, LimitKind};
pub use seam::{Chart, ChartValue, Scored, Scorer, Task};
