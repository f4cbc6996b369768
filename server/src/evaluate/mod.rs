//! Evaluates a pipeline in this process, without a link: the caller takes a frame, calls the pipeline and hands
//! back the answer. The Python package does so.
//!
//! [`Frames`] renders on a thread of its own, a few frames ahead, so that rendering takes no time from the pipeline
//! (`queue`). [`Evaluation`] scores: it pairs and sums up with the code of a session, so that the same run gives the
//! same figures as over a link, to the last digit. Only figures of time differ.

mod evaluation;
mod frames;
mod queue;

pub use evaluation::{Evaluation, Looked};
pub use frames::{Frames, Next, RenderedFrame};
