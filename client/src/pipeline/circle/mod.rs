//! Pipelines of the task `circle`: each is a [`Detector`](super::Detector) with the same answers around it.
//!
//! `kind` makes a listed pipeline of a detector, `pipeline` asks it and writes its answer, `answers` shows answers.

pub use kind::CircleKind;

mod answers;
mod kind;
mod pipeline;
