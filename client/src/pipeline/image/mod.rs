//! Pipelines of the task `image`: each answers with a processed frame of the same size and pixel
//! format; for gray16 of its 8-bit gray levels.
//!
//! `kind` makes a kind of pipeline from an [`Editor`], and `answers` shows the answers.

pub(super) use kind::{Editor, ImageKind, Picture};

mod answers;
mod kind;
