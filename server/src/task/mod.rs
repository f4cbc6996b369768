//! Tasks: what the pipeline has to do, and how its answer is scored.
//!
//! A [`Task`] is stateless: it gives its name, its columns and the figures of one frame. Its [`Scorer`] holds the state
//! of one session: it reads an answer's payload, scores it against the truth and sums up. [`crate::score`] holds what
//! all tasks share (outcome, latency, bytes). Outputs take names and values from [`Task::columns`] and
//! [`TaskFigures`], so they need not know any task.
//!
//! To add a task, add one file here, its line in `name::TASKS`, and its rows in `docs/protocol.md` and
//! `docs/report.md`.

mod ack;
pub mod circle;
mod count;
mod figures;
mod image;
mod name;
mod schema1;
mod seam;

pub use figures::{Figure, TaskFigures, Tone};
pub use name::{TaskName, UnknownTask};
pub use schema1::{Bias, CircleCounts, ErrorFigures, L1Figures, L2Figures, LimitKind};
pub use seam::{Chart, ChartValue, Scored, Scorer, Task};
