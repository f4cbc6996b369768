//! Pipelines of the task `circle`. Each wraps a [`Detector`](super::Detector), and all give the same kinds of answer.
//!
//! `kind` makes a kind of pipeline from a detector, `pipeline` runs the detector and writes its answer, and `answers`
//! shows the answers.

pub use kind::CircleKind;

mod answers;
mod kind;
mod pipeline;
