//! Pipelines of the task `image`: each answers with a processed frame of the same size and pixel format.
//!
//! `kind` makes a kind of pipeline from an [`Editor`], and `answers` shows the answers.

pub(super) use kind::{Editor, ImageKind, Picture};

mod answers;
mod kind;
