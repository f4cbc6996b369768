//! Pipelines of the task `count`: how many circles a frame shows. Each counts what a
//! [`DetectorOfAll`](super::DetectorOfAll) finds.
//!
//! `kind` makes a kind of pipeline from such a detector, `pipeline` counts, and `answers` shows the answers.

pub(super) use kind::COUNT_TASK;
pub use kind::CountKind;

mod answers;
mod kind;
mod pipeline;
